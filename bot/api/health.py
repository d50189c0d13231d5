"""Health: whether each process answers, for the supervisor, a load balancer and a curious operator."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

from fastapi import APIRouter, Request

from bot.api.errors import NotReady
from bot.api.routes import errors
from bot.api.schemas import HealthOut
from bot.dialogue import DialogueClient
from bot.roles import Role, open_to
from casework.database import Database

log = logging.getLogger(__name__)

FRESH_S = 2.0
"""How long one look at the processes is good for: asking is public and must stay cheap."""

router = APIRouter(prefix="/api/v1", tags=["health"])


class Health:
    """Looks at the processes, at most once in two seconds."""

    def __init__(
        self, database: Database, dialogue: DialogueClient, now_s: Callable[[], float] = monotonic
    ) -> None:
        self._database = database
        self._dialogue = dialogue
        self._now_s = now_s
        self._looking = asyncio.Lock()
        self._seen: dict[str, bool] = {}
        self._seen_at = -FRESH_S

    async def processes(self) -> dict[str, bool]:
        """Whether the bot (it does), the database with its newest schema, Rasa and the actions answer."""
        async with self._looking:
            if self._now_s() - self._seen_at >= FRESH_S:
                database, dialogue = await asyncio.gather(self._database_is_well(), self._dialogue.health())
                self._seen = {"bot": True, "database": database, **dialogue}
                self._seen_at = self._now_s()
            return self._seen

    async def _database_is_well(self) -> bool:
        try:
            return await self._database.is_current()
        except Exception as error:
            # Drivers raise what they like; an address with its password may be part of the text.
            log.warning("the database does not answer: %s", type(error).__name__)
            return False


@router.get("/health", summary="Is it alive?", responses=errors())
@open_to(Role.PUBLIC)
async def health(request: Request) -> HealthOut:
    """Always 200 while the bot answers; `processes` says which of the others do."""
    return await _look(request)


@router.get("/ready", summary="Can it answer members?", responses=errors(503))
@open_to(Role.PUBLIC)
async def ready(request: Request) -> HealthOut:
    """200 when every kind of process answers (one of Rasa's replicas is enough), 503 otherwise."""
    seen = await _look(request)
    replicas = [well for name, well in seen.processes.items() if name.startswith("rasa")]
    others = [well for name, well in seen.processes.items() if not name.startswith("rasa")]
    if not (any(replicas) and all(others)):
        raise NotReady()
    return seen


async def _look(request: Request) -> HealthOut:
    board: Health = request.app.state.health
    seen = await board.processes()
    return HealthOut(status="ok" if all(seen.values()) else "degraded", processes=seen)
