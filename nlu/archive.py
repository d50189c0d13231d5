"""What a trained model has learnt, as one digest: two trainings of the same things have the same."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path, PurePosixPath

LEARNT = "components"


def weights_digest(model: Path) -> str:
    """Return the SHA-256 over the names and contents of the components' files, in the order of their names.

    What a model archive says besides (its id, when it was trained) is left out. Raises ``OSError`` or
    ``tarfile.TarError`` for what is no archive.
    """
    digests: dict[str, str] = {}
    with tarfile.open(model, mode="r:gz") as archive:
        for member in archive:
            parts = PurePosixPath(member.name.lstrip("./")).parts
            content = archive.extractfile(member) if member.isfile() and parts[:1] == (LEARNT,) else None
            if content is not None:
                digests["/".join(parts)] = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]
    together = hashlib.sha256()
    for name in sorted(digests):
        together.update(f"{name}\0{digests[name]}\n".encode())
    return together.hexdigest()
