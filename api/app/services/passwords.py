"""Passwords: argon2id, slow on purpose, at most a few at a time. Never inside a transaction."""

import threading
from typing import Any

from passlib.context import CryptContext

from app.errors import Invalid

MIN_LENGTH = 8
MAX_LENGTH = 1024

# OWASP's second choice for argon2id: 19 MiB and two passes. passlib's default of 64 MiB times forty request threads
# would be more memory than the server has; so is the number at a time bounded.
COST: dict[str, Any] = {"argon2__memory_cost": 19456, "argon2__rounds": 2, "argon2__parallelism": 1}
_context = CryptContext(schemes=["argon2"], **COST)
_turn = threading.BoundedSemaphore(4)


def hashed(password: str) -> str:
    """What is kept of a password.

    Raises:
        Invalid: it is too short or too long.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise Invalid(f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    with _turn:
        return _context.hash(_bytes(password))


def matches(password: str, kept: str | None) -> bool:
    """Whether it is the password of `kept`. Takes as long when there is none, so that time tells nothing."""
    with _turn:
        if kept is None or len(password) > MAX_LENGTH:
            _context.dummy_verify()
            return False
        return _context.verify(_bytes(password), kept)


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
