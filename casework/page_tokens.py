"""Page tokens: the unguessable part of a public page's address.

A token is a record's id and half of a keyed hash of it (128 bits): nothing is stored, nobody can make one
without the data key, and it stays good for as long as that key is listed.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from casework.crypto import keyed_hash, keyed_hashes
from casework.errors import NotFound

_BYTES = 16


def page_token(purpose: str, record_id: str) -> str:
    """The token of a record (its id: 32 hex digits) for one purpose: 43 url-safe characters."""
    mark = bytes.fromhex(keyed_hash(purpose, record_id))[:_BYTES]
    return base64.urlsafe_b64encode(bytes.fromhex(record_id) + mark).rstrip(b"=").decode()


def read_page_token(purpose: str, token: str) -> str:
    """The id of the record a token names; raises NotFound for one that we did not make for this purpose."""
    try:
        raw = base64.b64decode(token + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NotFound("no such page") from None
    record_id, mark = raw[:_BYTES].hex(), raw[_BYTES:]
    known = [
        hmac.compare_digest(mark, bytes.fromhex(good)[:_BYTES]) for good in keyed_hashes(purpose, record_id)
    ]
    if not any(known):
        raise NotFound("no such page")
    return record_id
