"""What held-out models said of the training sentences, as a trained model keeps it; one line a sentence."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SCORES, _KEYS, _RIGHT, _CLASSES = "held_out.npy", "held_out_keys.npy", "held_out_right.npy", "classes.json"


@dataclass(frozen=True)
class HeldOut:
    """Held-out readings: for each sentence's key its intent, and what a model without it took it for."""

    keys: NDArray[np.uint64]
    intents: list[str]
    guesses: list[str]

    def readings(self) -> dict[int, tuple[str, str]]:
        """Return ``(intent, guess)`` by key."""
        return dict(zip(self.keys.tolist(), zip(self.intents, self.guesses, strict=True), strict=True))


def read_held_out(model: Path) -> HeldOut | None:
    """Read them from a model archive; None where it was trained before models kept them.

    Raises ``OSError`` or ``tarfile.TarError`` for what is no archive.
    """
    found: dict[str, bytes] = {}
    with tarfile.open(model, mode="r:gz") as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            if member.isfile() and name in {_SCORES, _KEYS, _RIGHT, _CLASSES}:
                content = archive.extractfile(member)
                if content is not None:
                    found[name] = content.read()
    if len(found) < 4:
        return None
    classes: list[str] = json.loads(found[_CLASSES])
    scores, keys, right = (_array(found[name]) for name in (_SCORES, _KEYS, _RIGHT))
    guesses = scores.argmax(axis=1)
    return HeldOut(keys, [classes[column] for column in right], [classes[column] for column in guesses])


def _array(content: bytes) -> Any:
    return np.load(io.BytesIO(content), allow_pickle=False)
