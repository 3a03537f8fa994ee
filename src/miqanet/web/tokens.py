"""Secrets that are told once and kept as hashes: invitation links, session cookies, CSRF tokens.

A token has 256 random bits, so that a plain SHA-256 of it can be kept: there is nothing to guess, as there is with
passwords, and whoever reads the database can sign in as nobody.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets


def new_token() -> str:
    """Return a secret of 256 random bits that fits in a URL and in a cookie."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is kept of a token: its SHA-256, hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_token(session_token: str) -> str:
    """Return the token by which the pages of a session prove to be ours.

    Another site can make a browser send the cookie, but reads neither it nor our pages (OWASP's HMAC-based token
    pattern).
    """
    return hmac.new(session_token.encode(), b"csrf", hashlib.sha256).hexdigest()


def is_csrf_token(given: str, session_token: str) -> bool:
    """Whether a token belongs to a session; takes the same time whatever is given."""
    return hmac.compare_digest(given.encode(), csrf_token(session_token).encode())
