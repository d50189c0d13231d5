"""Desk feed: tells every open page of the desk what changed, by one poller however many watch."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk.sessions import Signed
from bot.desk.together import Kept, Together
from bot.house import House
from casework import desk_feed, staff_talk
from casework.desk_feed import Stamp
from casework.desk_lists import Tally
from casework.model_watch import ALERT_DETAILS
from casework.permissions import Right, may
from casework.tables import Alert, Owner, Presence, Priority, Staff

PERIOD_S = 0.5
"""How often the database is asked what other processes wrote."""
GAP_S = 0.1
"""At least so long between two looks, however much is written."""
BEAT_S = 15.0
"""A stream on which nothing happens says so, for browsers and proxies that listen for silence."""
WATCHING_EVERY = 2
PEOPLE_EVERY = 4
"""In so many rounds once: who is looking and alerts; presence and whether the sessions still hold."""
SEEN_EVERY_S = 15.0
ALERT_OVERLAP = 100
"""On PostgreSQL a smaller id may be committed after a greater one: so far back is looked again."""
MAX_PENDING = 500
STOP_PATIENCE_S = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeskEvent:
    """One thing that happened; ``id`` is the newest message the feed had seen then."""

    name: str
    data: Mapping[str, Any]
    id: str | None = None


@dataclass(eq=False)
class _Subscriber:
    """One open page. What waits to be sent is kept by subject: a slow page gets the last word."""

    staff: Staff
    session_id: str
    last: int
    pending: dict[str, DeskEvent] = field(default_factory=dict)
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    welcomed: bool = False
    ended: str | None = None

    def put(self, key: str, event: DeskEvent) -> None:
        """Send an event as soon as the page reads; it replaces an unsent one of the same key."""
        self.pending.pop(key, None)
        self.pending[key] = event
        if len(self.pending) > MAX_PENDING:
            self.end("slow")
        self.bell.set()

    def end(self, reason: str) -> None:
        """End the stream, saying why."""
        self.ended = self.ended or reason
        self.bell.set()


class DeskFeed:
    """One poller for all subscribers, and a bell for what this process writes itself."""

    def __init__(self, house: House, period_s: float = PERIOD_S) -> None:
        self._database, self._clock, self._period_s = house.database, house.clock, period_s
        self._subscribers: set[_Subscriber] = set()
        self._stamps: dict[str, Stamp] | None = None
        self._watching: dict[str, frozenset[tuple[int, bool]]] = {}
        self._people: dict[int, Staff] = {}
        self._alerts: set[int] | None = None
        self._mark = 0
        self._round = 0
        self._noted: dict[int, float] = {}
        self._bell = asyncio.Event()
        self._end = asyncio.Event()
        self._looked = Together(self._look)
        self.lists: Kept[str] = Kept()
        """Rendered lists of the queue, by what they show."""

    @property
    def subscribers(self) -> int:
        """How many pages are listening."""
        return len(self._subscribers)

    def wake(self, conversation_id: str | None = None) -> None:
        """Say that something was written; it is looked at without waiting for the next round."""
        self._bell.set()

    def wake_all(self) -> None:
        """As ``wake``, and look at people, sessions and alerts as well."""
        self._round = 0
        self._bell.set()

    def close(self) -> None:
        """End every stream, now and later ones at once."""
        self._end.set()
        self._bell.set()
        for one in self._subscribers:
            one.end("stopping")

    async def run(self) -> None:
        """Poll until closed while anybody listens; a database that fails costs only time."""
        failures = 0
        while not self._end.is_set():
            self._bell.clear()
            if not self._subscribers:
                self._stamps, self._alerts, self._round = None, None, 0
                await self._bell.wait()
                continue
            try:
                await self.poll()
                failures = 0
            except Exception as error:
                failures += 1
                # The error's text may quote a statement's parameters.
                log.warning("desk feed: poll failed (%s), %d in a row", type(error).__name__, failures)
            # Much that is written at once is told at once: twenty desks hear each round.
            await asyncio.sleep(GAP_S)
            with contextlib.suppress(TimeoutError):
                waits = self._end.wait() if failures else self._bell.wait()
                await asyncio.wait_for(waits, self._period_s * min(2**failures, 20))

    async def watch(self, signed: Signed, last: int) -> AsyncGenerator[DeskEvent, None]:
        """What happens from now on, and which conversations went on since message ``last``; ends with bye."""
        me = _Subscriber(signed.staff, signed.session.id, last)
        if self._end.is_set():
            me.end("stopping")
        self._subscribers.add(me)
        self.wake_all()
        try:
            yield DeskEvent("hello", {"me": signed.staff.id})
            while True:
                me.bell.clear()
                while me.pending and me.ended is None:
                    yield me.pending.pop(next(iter(me.pending)))
                if me.ended is not None:
                    yield DeskEvent("bye", {"reason": me.ended})
                    return
                try:
                    await asyncio.wait_for(me.bell.wait(), BEAT_S)
                except TimeoutError:
                    yield DeskEvent("beat", {})
        finally:
            self._subscribers.discard(me)

    async def stamps_now(self) -> tuple[datetime, list[Stamp]]:
        """The moment and the stamps of all that concerns the desk, read for all who ask together."""
        return await self._looked.get()

    async def _look(self) -> tuple[datetime, list[Stamp]]:
        now = self._clock.now()
        async with self._database.read() as session:
            return now, await desk_feed.stamps(session, now)

    async def poll(self) -> None:
        """Look once and tell everybody; what it asks does not depend on how many listen."""
        now = self._clock.now()
        round_, self._round = self._round, self._round + 1
        people: list[Staff] | None = None
        watching = None
        alerts: Sequence[Alert] = ()
        still_open: set[str] | None = None
        listening = set(self._subscribers)
        async with self._database.read() as session:
            stamps = {one.id: one for one in await desk_feed.stamps(session, now)}
            if round_ % WATCHING_EVERY == 0:
                watching = await desk_feed.watching(session, now)
                alerts = await self._new_alerts(session)
            if round_ % PEOPLE_EVERY == 0:
                people = await desk_feed.people(session)
                ids = {one.session_id for one in listening}
                still_open = await desk_feed.still_open(session, ids, now)
            unread = await self._unread(session, alerts)
        if still_open is not None:
            for one in listening:
                if one.session_id not in still_open:
                    one.end("session")
        if people is not None:
            self._tell_presence(people)
        self._tell_stamps(stamps, now)
        if watching is not None:
            self._tell_watching(watching)
        self._tell_alerts(alerts, unread)
        await self._note_seen(now)

    def _tell_stamps(self, stamps: dict[str, Stamp], now: datetime) -> None:
        before, self._stamps = self._stamps, stamps
        self._mark = max([self._mark, *(one.message_id for one in stamps.values())])
        changed, news = [], None
        if before is not None and before != stamps:
            changed = [one for one in stamps.values() if before.get(one.id) != one]
            gone = [one for id_, one in before.items() if id_ not in stamps]
            for one in changed:
                fresh = one.message_id > (before[one.id].message_id if one.id in before else 0)
                self._tell_all(f"c:{one.id}", self._went_on(one, fresh=fresh))
            for one in gone:
                data = {"id": one.id, "message_id": one.message_id, "owner": Owner.BOT.value, "epoch": None}
                self._tell_all(f"c:{one.id}", DeskEvent("conversation", data, str(self._mark)))
            news = _news(changed, before)
        tally = Tally(stamps.values(), now)
        for each in self._subscribers:
            staff = self._people.get(each.staff.id, each.staff)
            if not each.welcomed:
                each.welcomed = True
                for one in stamps.values():
                    if 0 < each.last < one.message_id:
                        each.put(f"c:{one.id}", self._went_on(one, fresh=True))
                each.put("queue", self._queue(tally, staff, None))
            elif before != stamps:
                each.put("queue", self._queue(tally, staff, news))

    def _went_on(self, one: Stamp, *, fresh: bool) -> DeskEvent:
        data = {
            "id": one.id,
            "message_id": one.message_id,
            "owner": one.owner.value,
            "epoch": one.epoch,
            "staff_id": one.staff_id,
            "author": one.author.value if one.author else None,
            "fresh": fresh,
        }
        return DeskEvent("conversation", data, str(self._mark))

    def _queue(self, tally: Tally, staff: Staff, news: str | None) -> DeskEvent:
        counts: dict[str, int] = {tab.value: n for tab, n in tally.of(staff).items()}
        counts["unread"] = tally.unread(staff)
        return DeskEvent("queue", {"counts": counts, "urgent": tally.urgent, "news": news}, str(self._mark))

    def _tell_watching(self, watching: dict[str, frozenset[tuple[int, bool]]]) -> None:
        before, self._watching = self._watching, watching
        for id_ in before.keys() | watching.keys():
            if before.get(id_) != watching.get(id_):
                who = [{"staff_id": staff_id, "typing": typing} for staff_id, typing in watching.get(id_, ())]
                self._tell_all(f"w:{id_}", DeskEvent("watchers", {"id": id_, "watching": who}))

    def _tell_presence(self, people: Sequence[Staff]) -> None:
        before, self._people = self._people, {one.id: one for one in people}
        for one in people:
            old = before.get(one.id)
            if old is not None and old.presence is not one.presence:
                data = {"staff_id": one.id, "presence": Presence(one.presence).value}
                self._tell_all(f"p:{one.id}", DeskEvent("presence", data))

    def _tell_alerts(self, alerts: Sequence[Alert], unread: Mapping[int, int]) -> None:
        for alert in alerts:
            for one in self._subscribers:
                if _is_for(alert, one.staff) and one.welcomed:
                    data = {
                        "id": alert.id,
                        "kind": alert.detail if alert.detail in ALERT_DETAILS else alert.kind.value,
                        "href": f"/desk/alerts/{alert.id}",
                        "unread": unread.get(one.staff.id, 0),
                    }
                    one.put(f"a:{alert.id}", DeskEvent("alert", data))

    def _tell_all(self, key: str, event: DeskEvent) -> None:
        for one in self._subscribers:
            if one.welcomed:
                one.put(key, event)

    async def _new_alerts(self, session: AsyncSession) -> list[Alert]:
        if self._alerts is None:
            newest = await desk_feed.newest_alert(session)
            self._alerts = {one.id for one in await desk_feed.alerts_after(session, newest - ALERT_OVERLAP)}
            self._alerts.add(newest)
            return []
        mark = max(self._alerts)
        found = await desk_feed.alerts_after(session, mark - ALERT_OVERLAP)
        new = [one for one in found if one.id not in self._alerts]
        known = self._alerts | {one.id for one in new}
        self._alerts = {id_ for id_ in known if id_ > mark - 2 * ALERT_OVERLAP}
        return new

    async def _unread(self, session: AsyncSession, alerts: Sequence[Alert]) -> dict[int, int]:
        listening = {one.staff.id: one.staff for one in self._subscribers}
        addressed = {
            id_: staff for id_, staff in listening.items() if any(_is_for(one, staff) for one in alerts)
        }
        return {
            staff_id: len(await staff_talk.alerts_for(session, staff))
            for staff_id, staff in addressed.items()
        }

    async def _note_seen(self, now: datetime) -> None:
        at = asyncio.get_running_loop().time()
        due = {
            one.staff.id
            for one in self._subscribers
            if at - self._noted.get(one.staff.id, -SEEN_EVERY_S) >= SEEN_EVERY_S
        }
        if due:
            async with self._database.transaction() as session:
                await desk_feed.note_seen(session, due, now)
            self._noted |= dict.fromkeys(due, at)


def _is_for(alert: Alert, staff: Staff) -> bool:
    return alert.staff_id == staff.id or (alert.staff_id is None and may(staff, Right.DIRECT))


def _news(changed: Sequence[Stamp], before: Mapping[str, Stamp]) -> str | None:
    """What a change means for the ear: something pressing came or became so, or somebody joined the queue."""
    news = None
    for one in changed:
        old = before.get(one.id)
        came = one.owner is Owner.QUEUED and (old is None or old.owner is not Owner.QUEUED)
        worse = one.priority < Priority.NORMAL and (old is None or one.priority < old.priority)
        if (came or worse) and one.priority < Priority.NORMAL:
            return "urgent"
        if came:
            news = "waiting"
    return news


@asynccontextmanager
async def open_desk_feed(house: House) -> AsyncIterator[DeskFeed]:
    """The running feed of this process; what the switchboard writes rings its bell."""
    feed = DeskFeed(house)
    house.switchboard.feed.on_wake(feed.wake)
    task = asyncio.create_task(feed.run(), name="desk feed")
    try:
        yield feed
    finally:
        feed.close()
        await asyncio.wait([task], timeout=STOP_PATIENCE_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
