"""Passwords of staff: what makes a usable one, and argon2id hashes of them.

Hashing and verifying take about a tenth of a second of one core: callers do it in a thread and
outside a transaction.
"""

from __future__ import annotations

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from casework.errors import BadInput

MIN_LENGTH = 10
MAX_LENGTH = 200
HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
"""argon2id with 64 MiB, the second choice of RFC 9106."""
NOBODYS_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$C9c5JIr7h4bbB81kxJlSWQ$SmuTI5OFA8SDbctsp4nL6vFgkAUu8496W8e5H1cRLaU"
)
"""The hash of a random password that was thrown away: verified against for a login that does not exist,
so that it takes as long as one that does.
"""
_COMMON = frozenset(
    """
    1234567890 0123456789 9876543210 0987654321 1234512345 1122334455 12345678910 123456789a 1234567890a
    a123456789 qwertyuiop qwerty1234 qwerty123456 1qaz2wsx3edc 1q2w3e4r5t asdfghjkl; password12 password123
    password1234 passw0rd123 p@ssw0rd123 administrator admin12345 admin123456 iloveyou1314 woaini1314
    woaini13145 5201314520 1314520520 welcome123 letmein123 changeme123 abcd123456 abc1234567
    niangjia12351 niangjia123 gonghui12351 gonghui123 jinan12351 jinan123456 hotline12351
    """.split()  # noqa: SIM905  # a list of words reads better as words
)
_ONE_TIME_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without what is read wrongly from paper: l, o, 0, 1."""


def check_password(password: str, login: str, display_name: str) -> None:
    """Refuse a password that is easily guessed: raises BadInput with the reason.

    ``password_length`` (10 to 200 characters), ``password_personal`` (holds the login or the name),
    ``password_common`` (on the list of what everybody tries, or one character over and over).
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise BadInput("10 to 200 characters", reason="password_length", least=MIN_LENGTH, most=MAX_LENGTH)
    folded = _folded(password)
    personal = [_folded(word) for word in (login, "".join(display_name.split()))]
    if any(len(word) > 1 and word in folded for word in personal):
        raise BadInput("a password holds neither login nor name", reason="password_personal")
    if folded in _COMMON or len(set(folded)) < 4:
        raise BadInput("a password everybody tries", reason="password_common")


def hash_password(password: str) -> str:
    """The argon2id hash of a password (slow on purpose)."""
    return HASHER.hash(_normal(password))


def matches(password_hash: str, password: str) -> bool:
    """Whether the password is the one the hash was made of (slow on purpose); False for a damaged hash."""
    if len(password) > MAX_LENGTH:
        password = ""
    try:
        return HASHER.verify(password_hash, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether a hash was made at another cost than today's, and should be made again."""
    return HASHER.check_needs_rehash(password_hash)


def one_time_password() -> str:
    """A random password of 80 bits in four groups, easy to read out: ``h7kq-…``."""
    return "-".join("".join(secrets.choice(_ONE_TIME_ALPHABET) for _ in range(4)) for _ in range(4))


def _normal(password: str) -> str:
    # The same keys give different bytes on different keyboards otherwise.
    return unicodedata.normalize("NFKC", password)


def _folded(text: str) -> str:
    return _normal(text).casefold()
