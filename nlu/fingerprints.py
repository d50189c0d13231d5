"""What Rasa's training cache cannot see: the source of plain functions and the contents of data files."""

from __future__ import annotations

import hashlib
from importlib import util
from pathlib import Path


def source_digest(*modules: str, files: tuple[str | Path, ...] = ()) -> str:
    """Return a digest (hex) of the modules' source files and of ``files``; a missing file counts as empty."""
    digest = hashlib.sha256()
    for name in modules:
        spec = util.find_spec(name)
        if spec is not None and spec.origin:
            digest.update(Path(spec.origin).read_bytes())
    for file in files:
        path = Path(file)
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()
