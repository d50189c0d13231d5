"""Canary share: which conversations are on the canary; the same ones every time, on every machine."""

from __future__ import annotations

from hashlib import sha256

_PARTS = 10_000


def on_canary(conversation_id: str, share: int) -> bool:
    """Whether a conversation is among so many percent (0 to 100) of them.

    It hangs on the conversation's id alone: whoever is on a small share is also on every larger one.
    """
    digest = sha256(f"canary:{conversation_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % _PARTS < share * _PARTS // 100
