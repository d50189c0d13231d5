"""Polling: asks Telegram for updates, and lets it forget one only when it is settled here.

The library's own Updater confirms what it has put into memory, so a crash would lose it.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass

from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError, TimedOut

from bot.faults import log_fault, new_reference
from bot.telegram.door_bot import DoorBot, Json, Unreadable
from bot.telegram.intake import Intake, NotRecorded
from bot.telegram.lanes import NO_CHAT, lane_of
from bot.telegram.pacing import retry_seconds

log = logging.getLogger(__name__)

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
LONG_POLL_S = 25
BATCH = 100
GLANCE_S = 0.3
"""How long to wait before asking again while something taken is not settled yet."""
MAX_PAUSE_S = 30.0
_CONFLICT_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True)
class _Taken:
    chat: int
    task: asyncio.Task[None]


class Poller:
    """Asks for updates until it is cancelled.

    While something is unsettled Telegram is asked without long polling (it answers at once with what it
    may not forget yet), so no chat waits for another. What failed is taken up again after a pause, and
    until then nothing newer of its chat is.
    """

    def __init__(self, bot: DoorBot, intake: Intake, long_poll_s: int = LONG_POLL_S) -> None:
        self._bot = bot
        self._intake = intake
        self._long_poll_s = long_poll_s
        self._offset: int | None = None
        self._under_way: dict[int, _Taken] = {}
        self._settled: set[int] = set()
        """Settled, but after one that is not."""
        self._put_off: dict[int, int] = {}
        """Updates to be taken up later, with their chats."""
        self._failures_in_a_row = 0
        self._retry_at = 0.0

    async def run(self) -> None:
        """Poll for ever; ends only by cancellation, or with InvalidToken when Telegram refuses the token."""
        troubles = 0
        while True:
            try:
                batch = await self._ask()
            except InvalidToken:
                raise
            except TelegramError as error:
                troubles += 1
                if isinstance(error, Conflict):
                    await self._end_webhook()
                await asyncio.sleep(_pause(error, troubles))
            except Exception as error:
                # Whatever this is, it must not end polling for everybody.
                troubles += 1
                log_fault(log, new_reference(), "asking Telegram for updates", error)
                await asyncio.sleep(min(2.0**troubles, MAX_PAUSE_S))
            else:
                troubles = 0
                self._take(batch)
                await self._wait_a_moment(batch)
                self._book()

    async def finish(self) -> None:
        """Tell Telegram what has been settled since the last poll; call it after the intake was closed."""
        await asyncio.gather(*(taken.task for taken in self._under_way.values()), return_exceptions=True)
        self._book()
        if self._offset is None:
            return
        try:
            await self._bot.raw_updates(offset=self._offset, limit=1, long_poll_s=0, allowed=ALLOWED_UPDATES)
        except TelegramError as error:
            # Nothing is lost: those updates come again and are known by their ids.
            log.warning("could not tell Telegram what was settled: %s", type(error).__name__)

    async def _end_webhook(self) -> None:
        """A webhook somebody set keeps us from polling; if it is another poller, this does no harm."""
        log.error(
            "Telegram gives updates to a webhook or to another program with the same token; only one may"
        )
        try:
            await self._bot.delete_webhook()
        except TelegramError as error:
            log.warning("the webhook could not be ended: %s", type(error).__name__)

    async def _ask(self) -> list[Json]:
        open_ones = self._under_way or self._put_off
        return await self._bot.raw_updates(
            offset=self._offset,
            limit=BATCH,
            long_poll_s=0 if open_ones else self._long_poll_s,
            allowed=ALLOWED_UPDATES,
        )

    def _take(self, batch: Sequence[Json]) -> None:
        """Take what is new, and what failed when its pause is over."""
        raws = {raw["update_id"]: raw for raw in batch if isinstance(raw.get("update_id"), int)}
        last = max(raws, default=0)
        # Telegram forgets after a day by itself; what is no longer there must not hold up the rest.
        self._put_off = {uid: chat for uid, chat in self._put_off.items() if uid in raws or uid > last > 0}
        is_pause = asyncio.get_running_loop().time() < self._retry_at
        resting = set(self._put_off.values()) if is_pause else set()
        for uid, raw in raws.items():
            if uid in self._under_way or uid in self._settled:
                continue
            try:
                update = self._bot.read_update(raw)
                chat, taking = lane_of(update), self._intake.take(update)
            except Unreadable as error:
                chat, taking = NO_CHAT, self._intake.pass_over(raw, error)
            if chat in resting:
                taking.close()
                self._put_off[uid] = chat
                continue
            self._put_off.pop(uid, None)
            self._under_way[uid] = _Taken(chat, asyncio.create_task(taking, name=f"telegram update {uid}"))

    async def _wait_a_moment(self, batch: Sequence[Json]) -> None:
        if self._under_way:
            tasks = [taken.task for taken in self._under_way.values()]
            await asyncio.wait(tasks, timeout=GLANCE_S, return_when=asyncio.FIRST_COMPLETED)
        elif self._put_off or not batch:
            # A server that does not know long polling must not be asked without a pause.
            await asyncio.sleep(GLANCE_S)

    def _book(self) -> None:
        """Note what has ended, and move the offset to the first update that is not settled."""
        for uid, taken in list(self._under_way.items()):
            if not taken.task.done():
                continue
            del self._under_way[uid]
            if _is_settled(uid, taken.task):
                self._settled.add(uid)
                self._failures_in_a_row = 0
            else:
                self._put_off[uid] = taken.chat
                pause = min(2.0**self._failures_in_a_row, MAX_PAUSE_S)
                self._failures_in_a_row += 1
                self._retry_at = asyncio.get_running_loop().time() + pause
        open_ids = self._under_way.keys() | self._put_off.keys()
        if open_ids:
            self._offset = min(open_ids)
        elif self._settled:
            self._offset = max(self._settled) + 1
        self._settled = {uid for uid in self._settled if open_ids and uid > min(open_ids)}


def _is_settled(uid: int, task: asyncio.Task[None]) -> bool:
    if task.cancelled():
        return False
    error = task.exception()
    if error is not None and not isinstance(error, NotRecorded):
        log_fault(log, new_reference(), f"taking telegram update {uid}", error)
    return error is None


def _pause(error: TelegramError, troubles: int) -> float:
    """Seconds to wait before asking again."""
    if isinstance(error, RetryAfter):
        return retry_seconds(error) + 0.5
    if isinstance(error, Conflict):
        return _CONFLICT_PAUSE_S
    if isinstance(error, TimedOut):
        # The usual end of a long poll on a bad line.
        return min(troubles - 1.0, MAX_PAUSE_S)
    if troubles in (1, 10, 100):
        log.warning("polling Telegram failed (%s times in a row): %s", troubles, type(error).__name__)
    return min(2.0**troubles, MAX_PAUSE_S) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
