"""The pictures: who sees them, what they say in plain words, and that a table says the same."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot.desk import charts
from bot.desk.charts import Series
from bot.house import House
from casework import model_registry
from casework.clock import FixedClock
from casework.tables import ChangeDeed, ChangeOrigin, JobState, SampleChange, StaffRole, TrainingJob
from tests.bot.desk.conftest import SignIn
from tests.casework.test_live_figures import hand, heard, talk
from tests.casework.test_model_watch import read, version

PAGE = "/workbench/figures"


def words(text: str) -> str:
    """A page as it is read, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


async def a_history(house: House, clock: FixedClock, unread: int = 120) -> None:
    """One version for a week, another one since, which did not understand so many of 412 messages."""
    now = clock.now()
    async with house.database.transaction() as session:
        change = SampleChange(
            deed=ChangeDeed.ADD,
            origin=ChangeOrigin.INBOX,
            after_text="[工票](aspect)不认账<b>",
            after_intent="ask_wage_arrears",
            created_at=now,
        )
        session.add(change)
        await session.flush()
        job = TrainingJob(state=JobState.DONE, changes_up_to=change.id, created_at=now, finished_at=now)
        session.add(job)
        await session.flush()
        one, two = await version(session, now - timedelta(days=7), 1), await version(session, now, 2)
        one.scores, two.scores = {"accuracy": 0.8413, "sentences": 900}, {"accuracy": 0.8675}
        two.job_id = job.id
        one.created_at = now - timedelta(days=7)
        two.gate = {
            "corrections": [
                {
                    "text": "工票不认账<b>",
                    "intent": "ask_wage_arrears",
                    "topic": "labour.wage_arrears",
                    "before": "talk.out_of_scope",
                    "after": "labour.wage_arrears",
                    "learnt": True,
                }
            ]
        }
        await model_registry.adopt(session, one, now - timedelta(days=7), "第一个模型")
        await model_registry.promote(session, two.id, None, now, reason="暑期前的更正")
        conversation = await talk(session, now - timedelta(days=3))
        await read(session, conversation, one.name, now - timedelta(days=2), 400, 40)
        await read(session, conversation, two.name, now, 412, unread)
        asking = await talk(session, now)
        await heard(session, asking, now, model=two.name, topic="heat.allowance", helpful=False)
        await hand(session, asking, now + timedelta(minutes=1), "member_asked")
    clock.advance(timedelta(hours=1))


@pytest.mark.parametrize("role", StaffRole)
async def test_only_who_may_teach_sees_the_pictures(desk_client: SignIn, role: StaffRole) -> None:
    browser = await desk_client(role)
    may_teach = role in (StaffRole.SUPERVISOR, StaffRole.ADMIN)
    assert (await browser.page(PAGE)).status_code == (200 if may_teach else 403)


async def test_without_a_model_and_a_message_the_page_says_so(desk_client: SignIn) -> None:
    text = words((await (await desk_client(StaffRole.ADMIN)).page(PAGE)).text)
    assert "还没有登记过模型" in text
    assert "这段时间没有数据" in text
    assert "这段时间没有换过版本" in text


async def test_the_present_version_beside_the_one_before_is_said_in_plain_words(
    desk_client: SignIn, house: House, clock: FixedClock
) -> None:
    await a_history(house, clock)
    text = words((await (await desk_client(StaffRole.ADMIN)).page(PAGE)).text)
    assert "▲ 比之前多没听懂 19.1 个百分点 ，样本 413 条消息，不像是偶然" in text
    assert "样本太少，还说不准（2 个会话，之前 1）" in text
    assert "系统一直看着" in text


async def test_a_difference_that_chance_makes_is_called_that(
    desk_client: SignIn, house: House, clock: FixedClock
) -> None:
    await a_history(house, clock, unread=43)
    text = words((await (await desk_client(StaffRole.ADMIN)).page(PAGE)).text)
    assert "差不多：相差 0.4 个百分点，碰巧也会有（样本 413 条消息）" in text


async def test_the_corrections_show_what_was_learnt_and_members_words_are_no_markup(
    desk_client: SignIn, house: House, clock: FixedClock
) -> None:
    await a_history(house, clock)
    page = (await (await desk_client(StaffRole.ADMIN)).page(PAGE)).text
    row = page.split("工票不认账&lt;b&gt;")[1].split("</tr>")[0]
    assert "✓ 学会了" in row
    assert "新加" in row
    assert house.knowledge.articles["labour.wage_arrears"].label in row
    assert "不认账<b>" not in page


async def test_pictures_and_tables_say_the_same_and_versions_stand_in_both(
    desk_client: SignIn, house: House, clock: FixedClock
) -> None:
    await a_history(house, clock)
    page = (await (await desk_client(StaffRole.ADMIN)).page(PAGE)).text
    assert "7-20 没听懂 29%" in page
    assert re.search(r'<th scope="row">2026-07-20</th><td class="num">413</td><td class="num">120</td>', page)
    assert "② 7-20 2026-07-20-1" in page
    assert re.search(
        r"<th scope=\"row\">②</th><td><time[^>]*>[^<]*</time></td><td><a href=\"[^\"]*\">2026-07-20-1</a>",
        page,
    )
    assert "07-20-1 测试答对 87%" in page
    assert '<td class="num">86.8%</td>' in page
    assert "高温" in words(page)


async def test_a_canary_stands_beside_the_live_version_of_the_same_time(
    desk_client: SignIn, house: House, clock: FixedClock
) -> None:
    now = clock.now()
    async with house.database.transaction() as session:
        one, two = await version(session, now, 1), await version(session, now, 2)
        await model_registry.adopt(session, one, now - timedelta(days=9), "第一个模型")
        await model_registry.begin_canary(session, two.id, None, 10, now)
        conversation = await talk(session, now - timedelta(hours=1))
        await read(session, conversation, one.name, now - timedelta(minutes=1), 90, 90)
        await read(session, conversation, one.name, now, 100, 50)
        await read(session, conversation, two.name, now, 50, 5)
    clock.advance(timedelta(hours=1))
    text = words((await (await desk_client(StaffRole.ADMIN)).page(PAGE)).text)
    assert f"◐ 灰度的 {two.name}，和正在回答的 {one.name} 比" in text
    assert "▼ 比现在这版少没听懂 40.0 个百分点 ，样本 50 条消息，不像是偶然" in text
    assert "10% 的会话由它回答" in text


async def test_a_period_of_ones_own_is_shown_and_a_wrong_one_refused_kindly(
    desk_client: SignIn, house: House, clock: FixedClock
) -> None:
    await a_history(house, clock)
    browser = await desk_client(StaffRole.ADMIN)
    page = await browser.page(f"{PAGE}?start=2026-07-18&end=2026-07-18")
    assert page.status_code == 200
    assert '<th scope="row">2026-07-18</th><td class="num">400</td>' in page.text
    assert "2026-07-20</th>" not in page.text
    for query in ("start=2026-07-20&end=2026-07-18", "start=x", "days=8", "days=many", "end=2026-07-20"):
        page = await browser.page(f"{PAGE}?{query}")
        assert (page.status_code, "这样的时间段用不了" in page.text) == (422, True), query


async def test_the_page_holds_no_script_and_no_style_of_its_own(
    desk_client: SignIn, house: House, clock: FixedClock
) -> None:
    await a_history(house, clock)
    page = (await (await desk_client(StaffRole.ADMIN)).page(PAGE)).text
    assert not re.search(r"<style|style=|<script(?![^>]*src=)|onclick", page)
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))


def test_marks_stand_at_their_place_and_under_each_other_where_they_meet() -> None:
    drawn = str(
        charts.lines(
            "x",
            "图",
            "空",
            ["7-01", "7-02"],
            [Series("甲", [1, 2])],
            marks=[(1, "①", "<一>"), (1, "②", "二")],
        )
    )
    assert drawn.count("chart-mark") == 1
    places = re.findall(r'y="(\d+)" class="chart-text chart-sign"', drawn)
    assert len(places) == len(set(places)) == 2
    assert "① 7-02 &lt;一&gt;；② 7-02 二" in drawn
