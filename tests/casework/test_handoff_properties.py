"""Whatever the order in which members, bots, workers, the keeper, time and crashes come: one speaker only.

Every rule is one transaction, as every deed of the house is, and the database puts transactions in order; so
any interleaving of processes is some sequence of these rules. A bot's turn is three of them (it begins, its
action may hand off, it ends), and between any two of them anything else may happen, or it may crash.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import aside, handoff, messages, outbox, staff_talk, waiting
from casework.database import Database
from casework.desk_rules import load_desk_rules
from casework.errors import Refusal, StaleEpoch
from casework.messages import Reply
from casework.tables import (
    Author,
    Channel,
    Conversation,
    Delivery,
    Handling,
    Handoff,
    Message,
    OutboxEntry,
    Owner,
    Presence,
    Staff,
    StaffRole,
)
from casework.wording import Wording
from tests.conftest import MONDAY_MORNING
from tests.factories import make_conversation, make_staff

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
RULES = load_desk_rules(KNOWLEDGE)
WORDING = Wording.load(KNOWLEDGE)
T = TypeVar("T")
Deed = Callable[[AsyncSession], Awaitable[T]]
LINE = st.sampled_from([0, 0, 0, 1])
WHO = st.sampled_from([0, 0, 1, 2])
DEEDS = ("hand_back", "finish", "resume", "transfer", "hold", "block", "be_rated")


@dataclass(frozen=True)
class Turn:
    """A bot's turn under way: the message, and the conversation as it was when the turn began."""

    conversation: int
    message_id: int
    epoch: int
    owner: Owner


@dataclass
class Line:
    """One conversation and what must be true of it, kept outside the database."""

    id: str
    written: list[str] = field(default_factory=list)
    sent_by_staff: list[str] = field(default_factory=list)
    now: Conversation | None = None
    """As it was when it was last looked at."""
    said: list[Message] = field(default_factory=list)
    """Everything that was said, as it was found step by step."""

    def by(self, author: Author) -> list[Message]:
        """What one kind of author said."""
        return [one for one in self.said if one.author is author]


class Hotline(RuleBasedStateMachine):
    """Two members, two bot processes, two workers and a supervisor, the keeper, a deliverer, and time."""

    turns: Bundle[Turn] = Bundle("turns")
    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="niangjia-handoff-"))
        shutil.copyfile(self.template, self.folder / "hotline.db")
        self.database = Database(f"sqlite+aiosqlite:///{self.folder / 'hotline.db'}")
        self.now = MONDAY_MORNING
        self.serial = itertools.count(1)
        self.lines: list[Line] = []
        self.staff: list[Staff] = []
        self.phone: list[int] = []
        """Ids of the messages that reached the Telegram member's phone, in order, a repetition once."""
        self.unmarked: set[int] = set()

    def do(self, deed: Deed[T]) -> T | None:
        """One transaction; a refusal or a stale epoch undoes it and is the right answer: None."""

        async def run() -> T | None:
            try:
                async with self.database.transaction() as session:
                    return await deed(session)
            except (Refusal, StaleEpoch):
                return None

        done = self.runner.run(run())
        self.check()
        return done

    def look(self, question: Deed[T]) -> T:
        """Read something."""

        async def run() -> T:
            async with self.database.read() as session:
                return await question(session)

        return self.runner.run(run())

    @initialize()
    def open_the_house(self) -> None:
        async def deed(session: AsyncSession) -> None:
            for role in (StaffRole.AGENT, StaffRole.AGENT, StaffRole.SUPERVISOR):
                self.staff.append(
                    await make_staff(session, role=role, presence=Presence.ONLINE, seen_at=self.now)
                )
            for channel in (Channel.TELEGRAM, Channel.WEB):
                self.lines.append(Line((await make_conversation(session, channel=channel)).id))

        self.do(deed)

    # ---- members and bots

    @rule(target=turns, line=LINE, again=st.booleans())
    def a_member_writes(self, line: int, again: bool) -> object:
        """A message comes in and a bot begins its turn; ``again`` repeats the last one, as phones do."""
        written = self.lines[line].written
        known = again and bool(written)
        name = written[-1] if known else f"m{next(self.serial)}"
        if not known:
            written.append(name)

        async def deed(session: AsyncSession) -> None:
            conversation = await session.get_one(Conversation, self.lines[line].id)
            recorded = await messages.record_incoming(session, conversation, name, text=name, now=self.now)
            assert recorded.duplicate == known

        self.do(deed)
        return self.a_bot_begins_a_turn_in(line)

    @rule(target=turns, line=LINE)
    def another_bot_takes_it_up(self, line: int) -> object:
        """A second process, or the same one after a crash, begins with what is still pending."""
        return self.a_bot_begins_a_turn_in(line)

    def a_bot_begins_a_turn_in(self, line: int) -> object:
        """The oldest message nobody has dealt with, if there is one."""
        turn = self.a_turn_of(line)
        return multiple() if turn is None else turn

    @rule(turn=turns)
    def its_action_hands_off(self, turn: Turn) -> None:
        async def deed(session: AsyncSession) -> None:
            conversation = await session.get_one(Conversation, self.lines[turn.conversation].id)
            await handoff.hand_off(
                session, conversation, "member_asked", self.now, message_id=turn.message_id
            )

        if turn.owner is Owner.BOT:
            self.do(deed)

    @rule(turn=consumes(turns), crash=st.sampled_from([False, False, True]))
    def a_bot_ends_a_turn(self, turn: Turn, crash: bool) -> None:
        """As ``bot.answering`` does: the replies, or, when a human took over, only that it is done."""
        if not crash:
            self.end_turn(turn)

    def end_turn(self, turn: Turn) -> None:
        """Say what was computed, or keep silent."""
        line = self.lines[turn.conversation]

        async def end(session: AsyncSession, said: list[Reply], epoch_seen: int | None) -> None:
            await messages.record_replies(
                session,
                line.id,
                said,
                in_reply_to=turn.message_id,
                author=Author.BOT,
                epoch_seen=epoch_seen,
                now=self.now,
            )

        if turn.owner is Owner.BOT:
            self.do(lambda s: end(s, [Reply(f"答{turn.message_id}")], turn.epoch))
        self.do(lambda s: end(s, [], None))

    async def rate_the_last_service(self, session: AsyncSession, conversation: Conversation) -> None:
        """The member presses one of the rating buttons, a good or a bad one in turn."""
        last = await session.scalar(
            select(Handoff.id)
            .where(Handoff.conversation_id == conversation.id)
            .order_by(Handoff.id.desc())
            .limit(1)
        )
        rating = next(self.serial) % 5 + 1
        await handoff.rate(session, last or 0, conversation.member_id, rating, self.now)

    # ---- staff

    @rule(who=WHO, line=LINE)
    def a_worker_takes_over(self, who: int, line: int) -> None:
        self.staff_does(who, line, lambda s, c, w: handoff.take_over(s, c, w, self.now, wording=WORDING))

    @rule(who=WHO, line=LINE, again=st.booleans())
    def a_worker_replies(self, who: int, line: int, again: bool) -> None:
        """``again`` repeats the last sending, as a page does whose answer was lost."""
        thread = self.lines[line]
        mine = [name for name in thread.sent_by_staff if name.startswith(f"s{who}-")]
        name = mine[-1] if again and mine else f"s{who}-{next(self.serial)}"

        async def deed(session: AsyncSession) -> Message:
            worker = await session.get_one(Staff, self.staff[who].id)
            return await staff_talk.reply(
                session, thread.id, worker, name, self.now, client_message_id=name, wording=WORDING
            )

        if self.do(deed) is not None and name not in thread.sent_by_staff:
            thread.sent_by_staff.append(name)

    @rule(who=WHO, line=LINE, what=st.sampled_from(DEEDS), to=WHO)
    def a_worker_does(self, who: int, line: int, what: str, to: int) -> None:
        """Hand back, wrap up, go on, transfer, ask for patience, leave to the bot, be rated."""
        deeds: dict[str, Callable[[AsyncSession, Conversation, Staff], Awaitable[object]]] = {
            "hand_back": lambda s, c, w: handoff.hand_back(s, c, w, self.now, wording=WORDING),
            "finish": lambda s, c, w: handoff.finish(s, c, w, self.now),
            "resume": lambda s, c, w: handoff.resume(s, c, w, self.now),
            "transfer": lambda s, c, w: handoff.transfer(
                s, c, w, self.now, to=self.staff[to], wording=WORDING
            ),
            "hold": lambda s, c, w: aside.hold(s, c, w, 10, self.now, wording=WORDING),
            "be_rated": lambda s, c, w: self.rate_the_last_service(s, c),
            "block": lambda s, c, w: aside.block(s, c, w, 1, "辱骂坐席", self.now, wording=WORDING),
        }
        self.staff_does(who, line, deeds[what])

    @rule(who=WHO, present=st.sampled_from([True, True, False]))
    def a_worker_comes_or_goes(self, who: int, present: bool) -> None:
        async def deed(session: AsyncSession) -> None:
            worker = await session.get_one(Staff, self.staff[who].id)
            worker.presence = Presence.ONLINE if present else Presence.OFFLINE
            worker.seen_at = self.now

        self.do(deed)

    def staff_does(
        self, who: int, line: int, what: Callable[[AsyncSession, Conversation, Staff], Awaitable[object]]
    ) -> None:
        """A worker does something to a conversation."""

        async def deed(session: AsyncSession) -> None:
            conversation = await session.get_one(Conversation, self.lines[line].id)
            await what(session, conversation, await session.get_one(Staff, self.staff[who].id))

        self.do(deed)

    # ---- time, the keeper, the deliverer

    @rule(minutes=st.sampled_from([0, 1, 3, 6, 20, 600]), keeper=st.booleans(), crash=st.booleans())
    def time_passes(self, minutes: int, keeper: bool, crash: bool) -> None:
        """The clock goes on, the keeper may come round, and what is due goes to the phone."""
        self.now += timedelta(minutes=minutes)
        if keeper:
            self.the_keeper_goes_round()
        self.the_deliverer_goes_round(crash=crash)

    def the_keeper_goes_round(self) -> None:
        """As ``bot.desk.keeper`` does."""
        for conversation_id in self.look(lambda s: waiting.attention(s, self.now, RULES)):
            self.do(lambda s, id=conversation_id: waiting.attend(s, id, self.now, RULES, WORDING))  # type: ignore[misc]
        again = self.look(lambda s: waiting.attention(s, self.now, RULES))
        assert again == [], "a second round at the same moment finds nothing left to do"
        self.nobody_waits_unheard()

    def the_deliverer_goes_round(self, *, crash: bool) -> None:
        """What is due goes to the phone; after a crash nobody has marked that it did."""
        due = self.do(lambda s: outbox.claim_due(s, self.now)) or []
        for one in due:
            if one.message.id not in self.unmarked:
                self.phone.append(one.message.id)
            if crash:
                self.unmarked.add(one.message.id)
                continue
            self.do(lambda s, id=one.entry_id: outbox.mark_sent(s, id, self.now))  # type: ignore[misc]

    # ---- what must be true after every step

    def check(self) -> None:
        """Look at every conversation once and at what was said in it since the last look."""
        for line in self.lines:
            before = line.now
            line.now, new = self.look(lambda s, line=line: self._news(s, line))  # type: ignore[misc]
            line.said += new
            self.only_its_owner_speaks(before, line.now, new)
            self.epochs_rise(before, line.now)
            self.who_waits_is_known_to_wait(line.now)
            assert [one.text for one in line.by(Author.MEMBER)] == line.written
            answered = [one.in_reply_to or 0 for one in line.by(Author.BOT)]
            assert answered == sorted(set(answered)), "each message is answered once, and in order"
        assert self.phone == sorted(set(self.phone)), "nothing overtakes anything on its way"

    @staticmethod
    async def _news(session: AsyncSession, line: Line) -> tuple[Conversation, list[Message]]:
        after = line.said[-1].id if line.said else 0
        return (
            await session.get_one(Conversation, line.id),
            await messages.whole_transcript(session, line.id, after=after),
        )

    @staticmethod
    def only_its_owner_speaks(before: Conversation | None, now: Conversation, new: Sequence[Message]) -> None:
        """What was said in one transaction was said by who owned the conversation in it."""
        for message in new:
            if message.author is Author.BOT:
                assert before is not None
                own_hand_off = before.handoff_message_id == message.in_reply_to
                assert before.owner is Owner.BOT or (before.owner is Owner.QUEUED and own_hand_off)
            if message.author is Author.STAFF:
                assert (now.owner, now.staff_id) == (Owner.HUMAN, message.staff_id)

    @staticmethod
    def epochs_rise(before: Conversation | None, now: Conversation) -> None:
        """Every change of who speaks raises the epoch, and nothing lowers it."""
        if before is not None and (before.owner, before.staff_id) != (now.owner, now.staff_id):
            assert now.epoch > before.epoch
        assert before is None or now.epoch >= before.epoch

    @staticmethod
    def who_waits_is_known_to_wait(now: Conversation) -> None:
        """Whoever is in the queue waits since some moment; whom the bot answers waits for nobody."""
        assert (now.waiting_since is not None) or now.owner is not Owner.QUEUED
        assert (now.waiting_since is None) or now.owner not in (Owner.BOT, Owner.WRAP_UP)

    def nobody_waits_unheard(self) -> None:
        """After the keeper's round whoever waits longer than promised has been told since it broke."""
        for line in self.lines:
            now = self.look(lambda s, line=line: s.get_one(Conversation, line.id))  # type: ignore[misc]
            if now.owner is not Owner.QUEUED:
                continue
            assert now.told_waiting_at is not None
            if RULES.hours.is_working(self.now):
                silent = self.now - now.told_waiting_at
                assert silent <= timedelta(minutes=RULES.handoff.notice_every_minutes)

    def teardown(self) -> None:
        """Everybody goes home; in the end nobody is stuck and nothing is pending."""
        try:
            if self.lines:
                self.finish_the_day()
        finally:
            self.runner.run(self.database.close())
            self.runner.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def finish_the_day(self) -> None:
        """Turns are taken up, workers leave, the keeper and the deliverer go round."""
        for number in range(len(self.lines)):
            while True:
                turn = self.a_turn_of(number)
                if turn is None:
                    break
                self.end_turn(turn)
        for _ in range(3):
            self.now += timedelta(minutes=30)
            self.the_keeper_goes_round()
        for line in self.lines:
            owner = self.look(lambda s, line=line: s.get_one(Conversation, line.id)).owner  # type: ignore[misc]
            assert owner in (Owner.BOT, Owner.QUEUED), "no conversation stays with somebody who is gone"
        for _ in range(300):
            self.now += outbox.LEASE * 2
            if not self.look(self._undelivered):
                break
            self.the_deliverer_goes_round(crash=False)
        on_telegram, _ = self.lines
        assert self.phone == [one.id for one in on_telegram.said if one.author is not Author.MEMBER]
        for line in self.lines:
            assert [one.text for one in line.by(Author.STAFF)] == line.sent_by_staff

    def a_turn_of(self, line: int) -> Turn | None:
        """The oldest message nobody has dealt with."""

        async def question(session: AsyncSession) -> Turn | None:
            found = await messages.oldest_pending(session, self.lines[line].id, up_to=10**9)
            if found is None:
                return None
            assert found[0].handling is Handling.PENDING
            return Turn(line, found[0].id, found[1].epoch, found[1].owner)

        return self.look(question)

    @staticmethod
    async def _undelivered(session: AsyncSession) -> list[int]:
        return list(
            await session.scalars(select(OutboxEntry.id).where(OutboxEntry.delivery == Delivery.PENDING))
        )


@pytest.mark.timeout(300)
def test_one_speaker_at_a_time_whatever_happens(migrated_sqlite: Path) -> None:
    Hotline.template = migrated_sqlite
    run_state_machine_as_test(
        Hotline,
        settings=settings(
            max_examples=100,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
