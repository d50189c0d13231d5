"""Model server: gives every replica of Rasa the model it shall answer with, and takes in trained ones.

For our own processes only, by the internal token; nothing here is part of the public API.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response
from starlette.requests import ClientDisconnect

from bot.api.doorkeeper import TheHouse, house_of
from bot.api.errors import NotReady, Unauthenticated
from bot.api.limits import MODEL_LIMIT_BYTES
from bot.roles import Role, open_to
from bot.training.hashes import file_digest
from bot.training.storing import name_file, unnamed, write_whole
from casework import model_registry
from casework.errors import BadInput, NotFound
from casework.model_registry import VERSION_NAME

log = logging.getLogger(__name__)

NAME_HEADER = "X-Model-Name"
MOST_REPORT_BYTES = 32 * 1024**2


async def our_own(request: Request) -> None:
    """Let in who shows the internal token; raises Unauthenticated (401)."""
    shown = request.headers.get("authorization", "").encode()
    wanted = f"Bearer {house_of(request).settings.internal_token}".encode()
    if not hmac.compare_digest(shown, wanted):
        raise Unauthenticated()


router = APIRouter(prefix="/internal/models", include_in_schema=False, dependencies=[Depends(our_own)])


class Track(StrEnum):
    """Which model a replica asks for."""

    LIVE = "live"
    CANARY = "canary"


Digest = Annotated[str, InPath(pattern=r"^[0-9a-f]{64}$")]


@router.get("/{track}")
@open_to(Role.REPLICA)
async def model(request: Request, track: Track, house: TheHouse) -> Response:
    """The model's file; 304 when the replica names it already, 404 when there is none.

    A file that is not there, or not the one that was registered, is never served: 503.
    """
    async with house.database.read() as session:
        read = model_registry.live if track is Track.LIVE else model_registry.canary
        version = await read(session)
    if version is None:
        # Not a refusal: without a canary every replica hears this every two seconds, and the log would too.
        return Response(status_code=404)
    etag = f'"{version.sha256}"'
    if etag in (request.headers.get("if-none-match") or ""):
        return Response(status_code=304, headers={"ETag": etag})
    file = house.settings.models_dir / f"{version.name}.tar.gz"
    if await _digests(request).of(file) != version.sha256:
        log.error("the file of model %s is missing, or is not the one that was registered", version.name)
        raise NotReady()
    return FileResponse(
        file,
        media_type="application/gzip",
        headers={"ETag": etag, NAME_HEADER: version.name, "Cache-Control": "no-store"},
    )


@router.put("/{sha256}")
@open_to(Role.REPLICA)
async def take_in(request: Request, sha256: Digest, house: TheHouse) -> Response:
    """Take in a model trained elsewhere; kept only when its digest is the one in the address."""
    models = house.settings.models_dir
    await asyncio.to_thread(models.mkdir, parents=True, exist_ok=True)
    part = models / f".{sha256}.{os.getpid()}.upload"
    try:
        digest = await _receive(request, part, MODEL_LIMIT_BYTES)
        if digest != sha256:
            raise BadInput("the model did not arrive whole", field="sha256")
        await asyncio.to_thread(os.replace, part, unnamed(models, sha256))
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)
    return Response(status_code=204)


@router.put("/{sha256}/{what}")
@open_to(Role.REPLICA)
async def finish(
    request: Request,
    sha256: Digest,
    what: Annotated[str, InPath(pattern=r"^(name|report)$")],
    house: TheHouse,
) -> Response:
    """Give a model that was taken in its version's name, and lay its report beside it."""
    content = await request.body()
    async with house.database.read() as session:
        version = next((one for one in await model_registry.versions(session) if one.sha256 == sha256), None)
    if version is None or len(content) > MOST_REPORT_BYTES:
        raise NotFound("no such model")
    models = house.settings.models_dir
    if what == "report":
        await asyncio.to_thread(write_whole, models / f"{version.name}.report.html", content)
    elif VERSION_NAME.fullmatch(version.name):
        await asyncio.to_thread(name_file, models, sha256, version.name)
    return Response(status_code=204)


class Digests:
    """Digests of files, reckoned once for each state of a file."""

    def __init__(self, reckon: Callable[[Path], str] = file_digest) -> None:
        self._reckon = reckon
        self._known: dict[Path, tuple[tuple[int, int], str]] = {}

    async def of(self, file: Path) -> str | None:
        """The SHA-256 of a file, or None where there is none."""
        return await asyncio.to_thread(self._of, file)

    def _of(self, file: Path) -> str | None:
        try:
            now = file.stat()
            state = (now.st_mtime_ns, now.st_size)
            known = self._known.get(file)
            if known is None or known[0] != state:
                known = self._known[file] = (state, self._reckon(file))
        except OSError:
            return None
        return known[1]


def _digests(request: Request) -> Digests:
    state = request.app.state
    made: Digests | None = getattr(state, "model_digests", None)
    if made is None:
        made = state.model_digests = Digests()
    return made


async def _receive(request: Request, file: Path, most: int) -> str:
    """Write a request's body to a file as it arrives; its SHA-256. Raises BadInput beyond ``most`` bytes."""
    digest, size = hashlib.sha256(), 0
    with await asyncio.to_thread(file.open, "wb") as target:
        try:
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise BadInput("the model is too large", field="sha256")
                digest.update(chunk)
                await asyncio.to_thread(target.write, chunk)
        except ClientDisconnect:
            raise BadInput("the model did not arrive whole", field="sha256") from None
    return digest.hexdigest()
