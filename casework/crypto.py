"""Encryption of members' data at rest, and the keyed hashes that keep it searchable.

Every stored value names the key it was written with, so keys can be rotated: new values are
written with the newest key, old ones stay readable as long as their key is listed. The cipher is
installed explicitly by each process (``install_cipher``); importing this module does nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.exc import DontWrapMixin

from casework.errors import ConfigurationError
from casework.secret_files import read_or_create
from casework.settings import Settings

KEY_BYTES = 32
_FORMAT = b"\x01"
_ID_BYTES = 4
_NONCE_BYTES = 12
_HEADER_BYTES = len(_FORMAT) + _ID_BYTES

KEY_ADVICE = (
    "NIANGJIA_DATA_KEY must be 32 random bytes in base64 (make one with: openssl rand -base64 32), "
    "or several separated by commas, the newest first"
)


class CipherError(ConfigurationError, DontWrapMixin):
    """No cipher is installed, or none of its keys opens the value; says which key is missing.

    SQLAlchemy would otherwise wrap it in a StatementError together with the plain parameters.
    """


@dataclass(frozen=True, slots=True)
class _Key:
    """One data key, split by HKDF into a key for encryption and a key for hashes."""

    id: bytes
    box: AESGCM
    hash_key: bytes


class Cipher:
    """AES-256-GCM field cipher with versioned keys; the first key writes, every key reads."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Take the data keys, newest first; raises ConfigurationError for none, a bad one or a repeat."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ConfigurationError(KEY_ADVICE)
        if len(set(keys)) != len(keys):
            raise ConfigurationError(f"the same key is listed twice; {KEY_ADVICE}")
        self._keys = [_split(key) for key in keys]
        self._by_id = {key.id: key for key in self._keys}

    @property
    def key_id(self) -> str:
        """The id (hex) of the key that new values are written with."""
        return self._keys[0].id.hex()

    def encrypt(self, plain: bytes) -> bytes:
        """Encrypt with the newest key; the same text never gives the same bytes twice."""
        key = self._keys[0]
        header = self.header
        nonce = os.urandom(_NONCE_BYTES)
        return header + nonce + key.box.encrypt(nonce, plain, header)

    def decrypt(self, stored: bytes) -> bytes:
        """Decrypt what ``encrypt`` made with any listed key; raises CipherError, naming the missing key."""
        header, rest = stored[:_HEADER_BYTES], stored[_HEADER_BYTES:]
        if header[:1] != _FORMAT or len(rest) <= _NONCE_BYTES:
            raise CipherError("a stored value is damaged, or was never encrypted")
        key = self._by_id.get(header[1:])
        if key is None:
            raise CipherError(
                f"a stored value was written with data key {header[1:].hex()}, which is not among "
                f"{[known.id.hex() for known in self._keys]}; add that key to NIANGJIA_DATA_KEY"
            )
        try:
            return key.box.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], header)
        except InvalidTag as error:
            raise CipherError(f"a stored value of data key {key.id.hex()} is damaged") from error

    @property
    def header(self) -> bytes:
        """How every value written with the newest key begins."""
        return _FORMAT + self._keys[0].id

    def keyed_hash(self, purpose: str, value: str) -> str:
        """HMAC-SHA256 (64 hex digits) of a value under the newest key, different for every purpose."""
        return _hash(self._keys[0], purpose, value)

    def keyed_hashes(self, purpose: str, value: str) -> list[str]:
        """The hashes a value may have been stored under, newest key first: look up with all of them."""
        return [_hash(key, purpose, value) for key in self._keys]

    def term(self, purpose: str, value: str) -> int:
        """A search term: the first 64 bits (signed) of a keyed hash under the newest key; remembered."""
        return _term(self._keys[0].hash_key, purpose, value)

    def terms(self, purpose: str, value: str) -> tuple[int, ...]:
        """The search terms a value may have been stored under, newest key first."""
        return tuple(_term(key.hash_key, purpose, value) for key in self._keys)


_installed: Cipher | None = None


def install_cipher(cipher: Cipher | None) -> None:
    """Make this the cipher of the process (None takes it away again)."""
    global _installed  # noqa: PLW0603  # column types have no other way to reach it
    _installed = cipher


def current_cipher() -> Cipher:
    """The installed cipher; raises CipherError (a ConfigurationError) when there is none."""
    if _installed is None:
        raise CipherError(
            "no cipher is installed: call casework.crypto.install_cipher(load_keys(settings).cipher) first"
        )
    return _installed


def keyed_hash(purpose: str, value: str) -> str:
    """HMAC-SHA256 (64 hex digits) of a value under the installed cipher's newest key."""
    return current_cipher().keyed_hash(purpose, value)


def keyed_hashes(purpose: str, value: str) -> list[str]:
    """Every hash a value may have been stored under, newest key first."""
    return current_cipher().keyed_hashes(purpose, value)


@dataclass(frozen=True, slots=True)
class LoadedKeys:
    """The cipher for this installation, and the development key file if this call had to make one."""

    cipher: Cipher
    created: Path | None = None


def load_keys(settings: Settings) -> LoadedKeys:
    """The cipher from NIANGJIA_DATA_KEY or, in development, from ``var/dev.key`` (made once, 0600).

    Raises ConfigurationError for an unusable key, and in production for a missing one.
    """
    if settings.data_key is not None:
        return LoadedKeys(Cipher(parse_keys(settings.data_key)))
    if settings.environment == "production":
        raise ConfigurationError(
            f"NIANGJIA_DATA_KEY is missing, and NIANGJIA_ENV is production. {KEY_ADVICE}"
        )
    path = settings.var_dir / "dev.key"
    text, created = read_or_create(path, new_key)
    try:
        cipher = Cipher(parse_keys(text))
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{path} does not hold a usable key; restore it or set NIANGJIA_DATA_KEY"
        ) from error
    return LoadedKeys(cipher, path if created else None)


def new_key() -> str:
    """A new random data key, as NIANGJIA_DATA_KEY wants it."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def parse_keys(text: str) -> list[bytes]:
    """The keys in a comma-separated list of base64; raises ConfigurationError, never repeating the text."""
    try:
        keys = [base64.b64decode(part.strip(), altchars=b"-_", validate=True) for part in text.split(",")]
    except (binascii.Error, ValueError) as error:
        raise ConfigurationError(KEY_ADVICE) from error
    if any(len(key) != KEY_BYTES for key in keys):
        raise ConfigurationError(KEY_ADVICE)
    return keys


def _split(key: bytes) -> _Key:
    def derive(label: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"niangjia/" + label).derive(key)

    return _Key(
        id=hashlib.sha256(b"niangjia/key-id" + key).digest()[:_ID_BYTES],
        box=AESGCM(derive(b"field-encryption")),
        hash_key=derive(b"keyed-hash"),
    )


@lru_cache(maxsize=200_000)
def _term(hash_key: bytes, purpose: str, value: str) -> int:
    message = purpose.encode() + b"\x00" + value.encode("utf-8", "replace")
    return int.from_bytes(hmac.digest(hash_key, message, "sha256")[:8], "big", signed=True)


def _hash(key: _Key, purpose: str, value: str) -> str:
    message = purpose.encode() + b"\x00" + value.encode("utf-8", "replace")
    return hmac.new(key.hash_key, message, hashlib.sha256).hexdigest()
