from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from miqanet.hospital.tokens import Permission, TokenError, Tokens, User


@pytest.fixture
def tokens(tmp_path):
    return Tokens(tmp_path / "tokens")


def test_a_token_is_its_users_and_is_not_in_the_file(tokens, tmp_path):
    token = tokens.add("control-room", [Permission.READ, Permission.NAMES])
    assert tokens.user(token) == User("control-room", frozenset({Permission.READ, Permission.NAMES}))
    assert token not in (tmp_path / "tokens").read_text()
    assert tokens.user(token[:-1]) is None
    assert tokens.user("") is None


def test_of_many_who_write_at_once_none_is_lost(tmp_path):
    names = [f"user-{number}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: Tokens(tmp_path / "tokens").add(name, [Permission.READ]), names))
    assert {user.name for user in Tokens(tmp_path / "tokens").users()} == set(names)


def test_only_the_owner_reads_the_file(tokens, tmp_path):
    tokens.add("a", [Permission.READ])
    assert (tmp_path / "tokens").stat().st_mode & 0o777 == 0o600


def test_a_token_that_is_withdrawn_elsewhere_is_nobodys_at_once(tokens, tmp_path):
    token = tokens.add("a", [Permission.READ])
    tokens.add("b", [Permission.READ])
    Tokens(tmp_path / "tokens").remove("a")
    assert tokens.user(token) is None
    assert [user.name for user in tokens.users()] == ["b"]
    (tmp_path / "tokens").unlink()
    assert tokens.users() == []


@pytest.mark.parametrize(
    ("permission", "reads", "sends", "administers"),
    [
        (Permission.READ, True, False, False),
        (Permission.SEND, False, True, False),
        (Permission.ADMIN, True, True, True),
        (Permission.NAMES, False, False, False),
    ],
)
def test_permissions(permission, reads, sends, administers):
    user = User("a", frozenset({permission}))
    assert (user.may_read, user.may_send, user.is_admin) == (reads, sends, administers)
    assert not user.sees_names


def test_names_are_for_those_who_may_read():
    assert User("a", frozenset({Permission.READ, Permission.NAMES})).sees_names
    assert not User("a", frozenset({Permission.SEND, Permission.NAMES})).sees_names


@pytest.mark.parametrize("name", ["", "two words", "a#b", "line\nbreak", "x" * 65])
def test_names_that_the_file_cannot_hold_are_refused(tokens, name):
    with pytest.raises(TokenError, match="a name has 1 to 64"):
        tokens.add(name, [Permission.READ])


def test_a_name_is_of_one_user(tokens):
    tokens.add("a", [Permission.READ])
    with pytest.raises(TokenError, match="remove that first"):
        tokens.add("a", [Permission.ADMIN])
    with pytest.raises(TokenError, match="no token of b"):
        tokens.remove("b")


@pytest.mark.parametrize("line", ["a read", "a reed 00", "a read 00 11"])
def test_a_malformed_line_is_named(tmp_path, line):
    (tmp_path / "tokens").write_text(f"# users\n\n{line}\n")
    with pytest.raises(TokenError, match="line 3"):
        Tokens(tmp_path / "tokens").user("x")
