"""What two people published is what the bot says, from the next turn on; seasons are said as they are."""

from __future__ import annotations

from datetime import datetime

from actions.answering import ActionAnswer
from actions.resources import Resources
from casework import article_versions
from casework.article_data import as_data
from casework.clock import FixedClock
from casework.tables import StaffRole
from tests.actions.stage import Stage
from tests.factories import make_staff

TOPIC = "heat.allowance"


async def answer(stage: Stage, text: str, intent: str) -> str:
    await stage.hear(text, intent)
    (said,) = await stage.run(ActionAnswer())
    return str(said["text"])


async def test_what_is_published_is_said_and_what_is_retired_is_not(stage: Stage, house: Resources) -> None:
    now = house.clock.now()
    data = as_data(house.knowledge.articles[TOPIC]) | {"short": "两个人看过的新简答。"}
    assert "两个人看过的新简答" not in await answer(stage, "高温费多少", "ask_heat_allowance")
    async with house.database.transaction() as session:
        author = await make_staff(session, role=StaffRole.SUPERVISOR)
        second = await make_staff(session, role=StaffRole.SUPERVISOR)
        version = await article_versions.propose(
            session, author, TOPIC, data, house.knowledge, now, note="换了说法"
        )
    assert "两个人看过的新简答" not in await answer(stage, "高温费多少", "ask_heat_allowance")
    async with house.database.transaction() as session:
        await article_versions.approve(session, second, version.id, house.knowledge, now, seen=None)
    assert (await answer(stage, "高温费多少", "ask_heat_allowance")).startswith("两个人看过的新简答。")
    async with house.database.transaction() as session:
        await article_versions.retire(session, second, version.id, "标准变了", now)
    assert "两个人看过的新简答" not in await answer(stage, "高温费多少", "ask_heat_allowance")


async def test_out_of_season_the_answer_says_so_first(
    stage: Stage, house: Resources, clock: FixedClock
) -> None:
    season = house.knowledge.articles["tuition.aid"].season
    assert season is not None
    clock.set(datetime.fromisoformat("2026-11-22T10:00:00+08:00"))
    said = await answer(stage, "金秋助学怎么报", "ask_tuition_aid")
    assert said.startswith(season.closed_note)
    clock.set(datetime.fromisoformat("2026-08-10T10:00:00+08:00"))
    assert season.closed_note not in await answer(stage, "金秋助学怎么报", "ask_tuition_aid")
