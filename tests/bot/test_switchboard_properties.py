"""Whatever the order in which messages and their repetitions come in, each gets one reply, and in order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.dialogue import Utterance
from bot.switchboard import Switchboard
from casework.database import Database
from tests.bot.conftest import new_line
from tests.bot.fakes import Script, Trouble

MESSAGES = 4
CONVERSATIONS = 2


@dataclass(frozen=True)
class Sending:
    """One message on its way: of which conversation, which one, and after how many turns of the loop."""

    conversation: int
    message: int
    pause: int


sendings = st.lists(
    st.builds(
        Sending,
        conversation=st.integers(0, CONVERSATIONS - 1),
        message=st.integers(0, MESSAGES - 1),
        pause=st.integers(0, 40),
    ),
    min_size=1,
    max_size=14,
)
thinking_times = st.lists(st.integers(0, 30), min_size=1, max_size=6)


@given(sent=sendings, thinking=thinking_times)
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    # Every example has conversations of its own in the one database.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_each_message_gets_exactly_one_reply_and_replies_come_in_order(
    switchboard: Switchboard,
    database: Database,
    script: Script,
    sent: list[Sending],
    thinking: list[int],
) -> None:
    lines = [await new_line(switchboard, database) for _ in range(CONVERSATIONS)]
    script.heard.clear()

    async def think(utterance: Utterance) -> None:
        for _ in range(thinking[len(script.heard) % len(thinking)]):
            await asyncio.sleep(0)

    async def send(one: Sending) -> tuple[Sending, list[str], bool]:
        for _ in range(one.pause):
            await asyncio.sleep(0)
        receipt = await lines[one.conversation].say(f"话{one.message}", client_message_id=f"m{one.message}")
        return one, [view.text for view in receipt.replies], receipt.duplicate

    script.before_answering = think
    received = await asyncio.gather(*(send(one) for one in sent))

    assert all(replies == [f"答：话{one.message}"] for one, replies, _ in received)
    for number, line in enumerate(lines):
        different = {one.message for one in sent if one.conversation == number}
        assert sum(not duplicate for one, _, duplicate in received if one.conversation == number) == len(
            different
        )
        transcript = await line.transcript()
        asked = [view.text for view in transcript if view.author == "member"]
        answered = [view.text for view in transcript if view.author == "bot"]
        assert sorted(asked) == sorted(f"话{message}" for message in different)
        assert answered == [f"答：{text}" for text in asked]
        heard = [one.text for one in script.heard if one.conversation_id == line.conversation_id]
        assert heard == asked


@given(broken=st.lists(st.booleans(), min_size=1, max_size=5))
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_whatever_breaks_every_message_ends_done_and_the_member_hears_of_it_once(
    switchboard: Switchboard, database: Database, script: Script, broken: list[bool]
) -> None:
    line = await new_line(switchboard, database)
    script.will_say(*[Trouble.DOWN for bad in broken if bad])
    receipts = await asyncio.gather(*(line.say(f"话{number}") for number in range(len(broken))))
    script.answers.clear()
    told = [view.text for receipt in receipts for view in receipt.replies if "编号" in view.text]
    assert len(told) == any(broken)
    assert [receipt.message_id for receipt in receipts] == sorted(receipt.message_id for receipt in receipts)
    assert await switchboard.recover() == 0
