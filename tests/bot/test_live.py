"""Live feed: what is said arrives once and in order, whoever wrote it, and every stream ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping

import pytest

from bot.live import PAGE, Happening, LiveFeed
from bot.switchboard import Switchboard
from bot.views import MessageView, Speaking, Typing
from casework import conversations, handoff, messages
from casework.clock import FixedClock
from casework.database import Database
from casework.messages import Reply
from casework.standing import Standing
from casework.tables import Author, Owner
from casework.waiting import Place
from tests.bot.conftest import Line
from tests.bot.fakes import Script
from tests.factories import FIRST_MOMENT, make_staff

PATIENCE_S = 5.0


class Books:
    """What a feed reads: messages by conversation, and how often it looked."""

    def __init__(self) -> None:
        self.said: dict[str, list[MessageView]] = {}
        self.owner = Owner.BOT
        self.badge: str | None = None
        self.place: Place | None = None
        self.typing = False
        self.looks = 0
        self.broken = False
        self._looked = asyncio.Event()

    async def look_again(self, times: int) -> None:
        """Wait until the feed has looked so many times more."""
        until = self.looks + times
        while self.looks < until:
            self._looked.clear()
            await self._looked.wait()

    def write(self, conversation_id: str, message_id: int) -> None:
        """Write a message, as another process would."""
        view = MessageView(id=message_id, author="staff", text=str(message_id), created_at=FIRST_MOMENT)
        self.said.setdefault(conversation_id, []).append(view)

    async def standings(self, conversation_ids: Collection[str]) -> Mapping[str, Standing]:
        """How far the conversations have come, and who speaks."""
        self.looks += 1
        self._looked.set()
        if self.broken:
            raise OSError("the database is away")
        return {
            one: Standing(
                max((v.id for v in self.said.get(one, [])), default=0),
                self.owner,
                self.badge,
                self.typing,
                self.place,
            )
            for one in conversation_ids
        }

    async def fetch(self, conversation_id: str, after: int, limit: int) -> list[MessageView]:
        """Messages after an id."""
        return [view for view in self.said.get(conversation_id, []) if view.id > after][:limit]


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
async def feed(books: Books) -> AsyncIterator[LiveFeed]:
    feed = LiveFeed(books.standings, books.fetch, period_s=0.01)
    running = asyncio.create_task(feed.run())
    yield feed
    feed.close()
    await asyncio.wait_for(running, PATIENCE_S)


class Listener:
    """Collects what a stream gives."""

    def __init__(self, stream: AsyncIterator[Happening]) -> None:
        self.got: list[int | Owner] = []
        self.told: list[Speaking | Typing] = []
        self._news = asyncio.Event()
        self.task = asyncio.create_task(self._listen(stream))

    async def _listen(self, stream: AsyncIterator[Happening]) -> None:
        async for one in stream:
            if isinstance(one, Speaking | Typing):
                self.told.append(one)
            if isinstance(one, Speaking):
                self.got.append(Owner(one.owner))
            elif isinstance(one, MessageView):
                self.got.append(one.id)
            self._news.set()

    async def until_told(self, number: int) -> list[Speaking | Typing]:
        """Wait until so much was said about who speaks."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.told) < number:
                self._news.clear()
                await self._news.wait()
        return self.told

    async def until(self, enough: Callable[[list[int | Owner]], bool]) -> list[int | Owner]:
        """Wait until enough was given."""
        async with asyncio.timeout(PATIENCE_S):
            while not enough(self.got):
                self._news.clear()
                await self._news.wait()
        return self.got


async def test_what_was_said_before_comes_first_and_then_what_is_said(books: Books, feed: LiveFeed) -> None:
    for message_id in (1, 2, 3):
        books.write("c", message_id)
    listener = Listener(feed.watch("c", after=1))
    await listener.until(lambda got: len(got) == 3)
    books.write("c", 4)
    feed.wake("c")
    assert await listener.until(lambda got: len(got) == 4) == [Owner.BOT, 2, 3, 4]


async def test_what_another_process_wrote_is_found_by_looking(books: Books, feed: LiveFeed) -> None:
    listener = Listener(feed.watch("c", after=0))
    await listener.until(lambda got: len(got) == 1)
    books.write("c", 7)
    assert await listener.until(lambda got: len(got) == 2) == [Owner.BOT, 7]
    books.owner = Owner.HUMAN
    assert await listener.until(lambda got: len(got) == 3) == [Owner.BOT, 7, Owner.HUMAN]


async def test_a_waiting_member_hears_of_their_place_and_of_who_comes_and_types(
    books: Books, feed: LiveFeed
) -> None:
    books.owner, books.place = Owner.QUEUED, Place(2, None)
    listener = Listener(feed.watch("c", after=0))
    await listener.until_told(1)
    books.place = Place(1, 9)
    await listener.until_told(2)
    books.owner, books.place, books.badge = Owner.HUMAN, None, "07"
    await listener.until_told(3)
    books.typing = True
    await listener.until_told(4)
    books.typing = False
    assert await listener.until_told(5) == [
        Speaking("queued", ahead=2),
        Speaking("queued", ahead=1, minutes=9),
        Speaking("human", "07"),
        Typing(True),
        Typing(False),
    ]


async def test_more_than_a_page_comes_whole(books: Books, feed: LiveFeed) -> None:
    for message_id in range(1, PAGE * 2 + 2):
        books.write("c", message_id)
    listener = Listener(feed.watch("c", after=0))
    got = await listener.until(lambda got: len(got) == PAGE * 2 + 2)
    assert got[1:] == list(range(1, PAGE * 2 + 2))


async def test_one_look_serves_all_listeners_and_nobody_listening_costs_none(
    books: Books, feed: LiveFeed
) -> None:
    await asyncio.sleep(0.05)
    assert books.looks == 0
    listeners = [Listener(feed.watch(f"c{number}", after=0)) for number in range(10)]
    for listener in listeners:
        await listener.until(lambda got: len(got) == 1)
    assert feed.subscribers == 10
    before = books.looks
    await asyncio.sleep(0.1)
    # One for each period, not one for each listener; a bell at first sight makes each look once more.
    assert books.looks - before <= 10 + 12
    feed.close()
    for listener in listeners:
        await asyncio.wait_for(listener.task, PATIENCE_S)
    assert feed.subscribers == 0


async def test_a_database_that_is_away_for_a_while_costs_only_time(books: Books, feed: LiveFeed) -> None:
    listener = Listener(feed.watch("c", after=0))
    await listener.until(lambda got: len(got) == 1)
    books.broken = True
    await books.look_again(times=3)
    books.broken = False
    books.write("c", 3)
    assert await listener.until(lambda got: len(got) == 2) == [Owner.BOT, 3]


async def test_a_stream_opened_after_the_end_gives_what_there_is_and_ends(
    books: Books, feed: LiveFeed
) -> None:
    books.write("c", 1)
    feed.close()
    got = [one async for one in feed.watch("c", after=0)]
    assert got == [Speaking("bot"), books.said["c"][0]]


async def test_a_listener_that_goes_away_is_forgotten(books: Books, feed: LiveFeed) -> None:
    stream = feed.watch("c", after=0)
    assert await anext(stream) == Speaking("bot")
    await stream.aclose()
    assert feed.subscribers == 0


async def test_a_hotline_workers_reply_from_another_process_reaches_the_member(
    line: Line, database: Database, clock: FixedClock, switchboard: Switchboard, script: Script
) -> None:
    running = asyncio.create_task(switchboard.feed.run())
    listener = Listener(switchboard.watch(line.conversation_id, after=0))
    receipt = await line.say("找人工")
    await listener.until(lambda got: receipt.replies[-1].id in got)
    async with database.transaction() as session:
        conversation = await conversations.get(session, line.conversation_id)
        await handoff.hand_off(session, conversation, "member_asked", clock.now())
        staff = await make_staff(session)
        await handoff.take_over(session, conversation, staff, clock.now())
        (said,) = await messages.record_replies(
            session,
            line.conversation_id,
            [Reply(text="我是坐席小李")],
            in_reply_to=None,
            author=Author.STAFF,
            staff_id=staff.id,
            epoch_seen=None,
            now=clock.now(),
        )
    got = await listener.until(lambda got: said.id in got)
    assert got == [Owner.BOT, receipt.message_id, receipt.replies[0].id, Owner.HUMAN, said.id]
    await switchboard.close()
    await asyncio.wait_for(listener.task, PATIENCE_S)
    await asyncio.wait_for(running, PATIENCE_S)


async def test_subscribers_who_only_want_messages_get_only_messages(line: Line) -> None:
    receipt = await line.say("你好呀")
    line.switchboard.feed.close()
    views = [view async for view in line.switchboard.subscribe(line.conversation_id, after=0)]
    assert [view.id for view in views] == [receipt.message_id, receipt.replies[0].id]
