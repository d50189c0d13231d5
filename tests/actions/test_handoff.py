"""A human, now: what the member hears when one comes, when none may, and when they rate one."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from actions.handoff import ActionHandOff, ActionRateService
from actions.resources import Resources
from casework import aside, conversations, handoff
from casework.tables import Alert, Conversation, Handoff, Owner
from tests.actions.stage import Stage, responses
from tests.factories import make_staff


async def now_is(stage: Stage, house: Resources) -> Conversation:
    async with house.database.read() as session:
        return await conversations.get(session, stage.conversation.id)


async def ask_for_a_human(stage: Stage) -> list[dict[str, object]]:
    await stage.hear("转人工", "request_human")
    return await stage.run(ActionHandOff())


async def served(stage: Stage, house: Resources) -> int:
    """A human answered and handed back; the service's id."""
    async with house.database.transaction() as session:
        worker, now = await make_staff(session), house.clock.now()
        await handoff.take_over(session, stage.conversation, worker, now)
        await handoff.note_answered(session, await conversations.lock(session, stage.conversation.id), now)
        await handoff.hand_back(session, stage.conversation, worker, now)
        return (await session.scalars(select(Handoff.id))).one()


async def block(stage: Stage, house: Resources) -> None:
    """Leave the member to the bot for two hours."""
    async with house.database.transaction() as session:
        worker, now = await make_staff(session), house.clock.now()
        await handoff.take_over(session, stage.conversation, worker, now)
        await aside.block(
            session, stage.conversation, worker, 2, "辱骂坐席", now, wording=house.knowledge.wording
        )


async def test_who_asks_is_handed_off_and_asking_again_moves_nothing(stage: Stage, house: Resources) -> None:
    assert responses(await ask_for_a_human(stage)) == ["utter_handed_off"]
    queued = await now_is(stage, house)
    assert (queued.owner, queued.epoch) == (Owner.QUEUED, 1)
    assert responses(await ask_for_a_human(stage)) == ["utter_hand_off_already"]
    assert (await now_is(stage, house)).epoch == 1


async def test_who_is_left_to_the_bot_is_told_so_in_friendly_words(stage: Stage, house: Resources) -> None:
    await block(stage, house)
    (said,) = await ask_for_a_human(stage)
    assert said["text"] == house.knowledge.wording.say("refusal.handoff_blocked")
    assert (await now_is(stage, house)).owner is Owner.BOT


async def test_a_crisis_reaches_a_human_whatever_was_before(stage: Stage, house: Resources) -> None:
    await block(stage, house)
    async with house.database.transaction() as session:
        await conversations.flag_urgent(session, stage.conversation, "crisis.self_harm", house.clock.now())
    assert responses(await ask_for_a_human(stage)) == ["utter_handed_off"]
    assert (await now_is(stage, house)).owner is Owner.QUEUED


@pytest.mark.parametrize(
    ("rating", "said", "owner"),
    [
        (5, "utter_service_rated", Owner.BOT),
        (3, "utter_service_rated", Owner.BOT),
        (2, "utter_service_rated_badly", Owner.QUEUED),
    ],
)
async def test_a_rating_is_taken_and_a_bad_one_brings_a_supervisor(
    stage: Stage, house: Resources, rating: int, said: str, owner: Owner
) -> None:
    service = await served(stage, house)
    await stage.hear("评分", "rate_service", handoff=service, rating=rating)
    assert responses(await stage.run(ActionRateService())) == [said]
    assert (await now_is(stage, house)).owner is owner


async def test_no_supervisor_is_promised_to_who_is_left_to_the_bot(stage: Stage, house: Resources) -> None:
    service = await served(stage, house)
    await block(stage, house)
    await stage.hear("评分", "rate_service", handoff=service, rating=1)
    assert responses(await stage.run(ActionRateService())) == ["utter_service_rated"]
    async with house.database.read() as session:
        assert len(list(await session.scalars(select(Alert)))) == 1, "supervisors hear of it all the same"


@pytest.mark.parametrize("rating", [0, 6])
async def test_what_cannot_be_rated_is_said_to_be_so(stage: Stage, house: Resources, rating: int) -> None:
    service = await served(stage, house)
    for what in ({"handoff": service, "rating": rating}, {"handoff": 999_999, "rating": 5}):
        await stage.hear("评分", "rate_service", **what)
        assert responses(await stage.run(ActionRateService())) == ["utter_service_not_found"]
