"""Where a trained model's file goes: the folder the model server serves, here or on the bot's machine."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import httpx

from casework.settings import Settings

UPLOAD_LIMIT_S = 600.0
UPLOADED = "/internal/models"


@dataclass(frozen=True)
class Put:
    """A model's file that lies in its place under a name nobody asks for yet."""

    settings: Settings
    sha256: str

    async def under(self, name: str, report: str) -> None:
        """Give the file its version's name, and lay the report beside it."""
        if self.settings.model_server_url is not None:
            await _send(self.settings, f"{self.sha256}/name", content=name.encode())
            await _send(self.settings, f"{self.sha256}/report", content=report.encode())
            return
        await asyncio.to_thread(name_file, self.settings.models_dir, self.sha256, name)
        await asyncio.to_thread(
            write_whole, self.settings.models_dir / f"{name}.report.html", report.encode()
        )


async def put(settings: Settings, model: Path, sha256: str) -> Put:
    """Bring a model's file to where it will be served from; raises OSError or httpx.HTTPError."""
    if settings.model_server_url is not None:
        await _send(settings, sha256, file=model)
    else:
        await asyncio.to_thread(_copy, model, unnamed(settings.models_dir, sha256))
    return Put(settings, sha256)


def unnamed(models: Path, sha256: str) -> Path:
    """Where a model's file lies until its version has a name."""
    return models / f".{sha256}.part"


def name_file(models: Path, sha256: str, name: str) -> None:
    """Rename an unnamed model to its version's file; nothing ever sees half of it."""
    os.replace(unnamed(models, sha256), models / f"{name}.tar.gz")


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    part = file.with_name(f".{file.name}.part")
    part.write_bytes(content)
    os.replace(part, file)


def _copy(model: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    with model.open("rb") as source, to.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())


async def _send(
    settings: Settings, what: str, *, file: Path | None = None, content: bytes | None = None
) -> None:
    headers = {"Authorization": f"Bearer {settings.internal_token}"}
    if file is not None:
        content = await asyncio.to_thread(file.read_bytes)
    async with httpx.AsyncClient(timeout=UPLOAD_LIMIT_S, trust_env=False) as client:
        answer = await client.put(
            f"{settings.model_server_url}{UPLOADED}/{what}", content=content, headers=headers
        )
        answer.raise_for_status()
