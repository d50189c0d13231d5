"""Encryption of stored dialogues: AES-256-GCM with the installation's data key (the newest one encrypts)."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
PURPOSE = b"niangjia dialogue trackers"


class TrackerKeyError(RuntimeError):
    """There is no usable data key, or a stored dialogue was encrypted with one that is gone."""


def data_keys(environment: dict[str, str]) -> list[bytes]:
    """The 32-byte data keys, newest first: NIANGJIA_DATA_KEY, else the development key in ``var/``."""
    text = environment.get("NIANGJIA_DATA_KEY", "").strip()
    if not text:
        home = Path(environment.get("NIANGJIA_HOME") or Path(__file__).parents[1])
        file = home / (environment.get("NIANGJIA_VAR") or "var") / "dev.key"
        try:
            text = file.read_text(encoding="ascii").strip()
        except OSError as error:
            raise TrackerKeyError(f"no NIANGJIA_DATA_KEY, and no development key in {file}") from error
    try:
        keys = [base64.b64decode(part.strip(), validate=True) for part in text.split(",")]
    except binascii.Error as error:
        raise TrackerKeyError("a data key is not base64") from error
    if any(len(key) != 32 for key in keys):
        raise TrackerKeyError("a data key must be 32 bytes in base64")
    return keys


class TrackerCipher:
    """Encrypts and decrypts one dialogue; the conversation's id is authenticated with it."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = [AESGCM(_derive(key)) for key in keys]

    def encrypt(self, conversation_id: str, plain: bytes) -> bytes:
        """Nonce and ciphertext under the newest key."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, plain, conversation_id.encode())

    def decrypt(self, conversation_id: str, stored: bytes) -> bytes:
        """The plain bytes; raises TrackerKeyError when no key fits or the record belongs to another."""
        nonce, body = stored[:NONCE_BYTES], stored[NONCE_BYTES:]
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(nonce, body, conversation_id.encode())
            except InvalidTag:
                continue
        raise TrackerKeyError("a stored dialogue fits none of the data keys")


def _derive(key: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(key)
