from __future__ import annotations

import hashlib
import string

from miqanet.web.tokens import csrf_token, is_csrf_token, new_token, token_hash


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    # 256 bits in base 64.
    assert {len(token) for token in tokens} == {43}
    assert set("".join(tokens)) <= set(string.ascii_letters + string.digits + "-_")


def test_a_hash_is_sha256() -> None:
    assert token_hash("abc") == hashlib.sha256(b"abc").hexdigest()


def test_a_csrf_token_belongs_to_one_session_and_tells_nothing_of_it() -> None:
    first, second = new_token(), new_token()
    assert is_csrf_token(csrf_token(first), first)
    assert not is_csrf_token(csrf_token(first), second)
    assert csrf_token(first) != token_hash(first)
    for wrong in ("", "é", first, csrf_token(first).upper(), csrf_token(first) + "0"):
        assert not is_csrf_token(wrong, first)
