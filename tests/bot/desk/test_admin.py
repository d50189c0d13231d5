"""The administration's first page, teams, canned replies and the training inbox, as staff use them."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from bot.house import House
from casework import canned, suggestions, teams
from casework.clock import FixedClock
from casework.tables import CannedReply, Staff, StaffRole, SuggestionState, Team, TrainingSuggestion
from casework.tables.people import Channel
from tests.bot.desk.conftest import DeskClient, SignIn
from tests.factories import make_conversation, make_message, make_staff

PAGES = ("/desk/admin", "/desk/admin/teams", "/desk/admin/canned", "/desk/admin/desk")
WAGES, HEAT = "labour.wage_arrears", "heat.stop_work"


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", StaffRole)
async def test_only_who_edits_the_desk_sees_its_administration(
    desk_client: SignIn, role: StaffRole, path: str
) -> None:
    browser = await desk_client(role)
    may_edit = role in (StaffRole.SUPERVISOR, StaffRole.ADMIN)
    assert (await browser.page(path)).status_code == (200 if may_edit else 403)


async def test_the_overview_says_whether_the_installation_is_in_order(
    desk_client: SignIn, house: House, clock: FixedClock
) -> None:
    clock.set(datetime.fromisoformat("2026-11-09T10:00:00+08:00"))
    browser = await desk_client(StaffRole.SUPERVISOR)
    text = (await browser.page("/desk/admin")).text
    assert "表结构是最新的" in text
    assert "日历缺 2027 年" in text
    assert "值班中" in text
    assert "/desk/admin/staff" not in text
    clock.set(datetime.fromisoformat("2026-07-05T10:00:00+08:00"))
    browser = await desk_client(StaffRole.ADMIN)
    text = (await browser.page("/desk/admin")).text
    assert "日历缺" not in text
    assert "不在值班时间" in text
    assert "/desk/admin/staff" in text


async def only_team(house: House) -> Team:
    async with house.database.read() as session:
        (team,) = await teams.list_teams(session, closed=True)
        return team


async def test_a_supervisor_makes_changes_closes_and_reopens_a_team(
    desk_client: SignIn, house: House
) -> None:
    browser = await desk_client(StaffRole.SUPERVISOR)
    made = await browser.post("/desk/admin/teams", data={"name": "劳动组", "topic": [WAGES, HEAT]})
    assert (made.status_code, made.json()["location"]) == (200, "/desk/admin/teams?done=added")
    team = await only_team(house)
    assert (team.name, team.topics) == ("劳动组", [HEAT, WAGES])
    assert "停工" in (await browser.page("/desk/admin/teams")).text
    changed = await browser.page(f"/desk/admin/teams/{team.id}")
    assert f'value="{WAGES}" checked' in changed.text
    await browser.post(f"/desk/admin/teams/{team.id}", data={"name": "维权组", "topic": [WAGES]})
    assert ((await only_team(house)).name, (await only_team(house)).topics) == ("维权组", [WAGES])
    await browser.post(f"/desk/admin/teams/{team.id}/close")
    assert not (await only_team(house)).active
    await browser.post(f"/desk/admin/teams/{team.id}/reopen")
    assert (await only_team(house)).active


async def test_a_topic_of_another_team_is_refused_in_words_and_what_was_typed_stays(
    desk_client: SignIn, house: House
) -> None:
    browser = await desk_client(StaffRole.SUPERVISOR)
    await browser.post("/desk/admin/teams", data={"name": "劳动组", "topic": [WAGES]})
    refused = await browser.post("/desk/admin/teams", data={"name": "另一组", "topic": [WAGES]})
    assert refused.status_code == 422
    assert "已经归“劳动组”了" in refused.text
    assert 'value="另一组"' in refused.text
    assert "归 劳动组" in (await browser.page("/desk/admin/teams")).text
    nothing = await browser.post("/desk/admin/teams", data={"name": " "})
    assert "班组名称请写 1 到 40 个字" in nothing.text


async def test_without_a_script_the_browser_comes_back_to_the_list(desk_client: SignIn, house: House) -> None:
    browser = await desk_client(StaffRole.SUPERVISOR)
    answer = await browser.post(
        "/desk/admin/teams", data={"name": "劳动组", "csrf": browser.csrf}, headers={"Accept": "text/html"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/admin/teams?done=added")
    assert "班组建好了" in (await browser.page("/desk/admin/teams?done=added")).text


async def shipped(house: House) -> None:
    async with house.database.transaction() as session:
        await canned.install_shipped(session, house.settings.home / "data" / "knowledge", house.clock.now())


async def reply_named(house: House, keyword: str) -> CannedReply | None:
    async with house.database.read() as session:
        found = await session.scalars(select(CannedReply).where(CannedReply.keyword == keyword))
        return found.one_or_none()


async def test_canned_replies_are_found_by_what_they_say(desk_client: SignIn, house: House) -> None:
    await shipped(house)
    browser = await desk_client(StaffRole.SUPERVISOR)
    everything = (await browser.page("/desk/admin/canned")).text
    assert "久等致歉" in everything
    found = (await browser.page("/desk/admin/canned?q=久等")).text
    assert "久等致歉" in found
    assert "先安抚" not in found
    assert "没有找到" in (await browser.page("/desk/admin/canned?q=根本没有这句")).text


async def test_a_canned_reply_is_written_previewed_removed_and_found_again(
    desk_client: SignIn, house: House
) -> None:
    browser = await desk_client(StaffRole.SUPERVISOR, badge="31", display_name="赵班长")
    draft = {"keyword": "XIN", "title": "新的一条", "text": "{称呼}好，我是工号 {工号}。", "topic": WAGES}
    look = await browser.post("/desk/admin/canned", data=draft | {"look": "1"})
    assert "张师傅好，我是工号 31。" in look.text
    assert await reply_named(house, "xin") is None
    saved = await browser.post("/desk/admin/canned", data=draft)
    assert saved.json()["location"] == "/desk/admin/canned?done=saved"
    one = await reply_named(house, "xin")
    assert one is not None
    assert (one.title, one.topic, one.active) == ("新的一条", WAGES, True)
    await browser.post(f"/desk/admin/canned/{one.id}/remove")
    assert "新的一条" not in (await browser.page("/desk/admin/canned?q=xin")).text
    assert "新的一条" in (await browser.page("/desk/admin/canned?q=xin&removed=1")).text
    await browser.post(f"/desk/admin/canned/{one.id}", data=draft | {"title": "改过的一条"})
    one = await reply_named(house, "xin")
    assert one is not None
    assert (one.title, one.active) == ("改过的一条", True)


async def test_a_canned_reply_that_cannot_be_is_shown_again_with_what_is_wrong(
    desk_client: SignIn, house: House
) -> None:
    await shipped(house)
    browser = await desk_client(StaffRole.SUPERVISOR)
    draft = {"keyword": "jd", "title": "标题", "text": "内容"}
    taken = await browser.post("/desk/admin/canned", data=draft)
    assert (taken.status_code, "已经有常用语在用了" in taken.text) == (422, True)
    unknown = await browser.post("/desk/admin/canned", data=draft | {"keyword": "x1", "text": "{银行卡}"})
    assert "没有“银行卡”这个变量" in unknown.text
    assert await reply_named(house, "x1") is None


async def test_the_preview_names_a_variable_that_has_no_value(desk_client: SignIn) -> None:
    browser = await desk_client(StaffRole.SUPERVISOR, badge=None)
    text = (await browser.post("/desk/admin/canned/preview", data={"text": "工号 {工号}<b>"})).text
    assert "【待填】" in text
    assert "没有值的变量：工号" in text
    assert "&lt;b&gt;" in text
    assert "<html" not in text


async def marked(house: House, person: Staff) -> TrainingSuggestion:
    now = house.clock.now()
    async with house.database.transaction() as session:
        talk = await make_conversation(session, channel=Channel.WEB)
        said = await make_message(
            session, talk, text="我叫王小明，老板欠我钱", intent="ask_leave", confidence=0.41
        )
        return await suggestions.suggest(session, person, said.id, "ask_wage_arrears", house.knowledge, now)


async def states(house: House) -> list[SuggestionState]:
    async with house.database.read() as session:
        return list(await session.scalars(select(TrainingSuggestion.state)))


async def test_the_training_inbox_shows_what_was_marked_without_a_name(
    desk_client: SignIn, house: House
) -> None:
    agent = await desk_client(display_name="钱坐席")
    await marked(house, agent.staff)
    text = (await agent.page("/desk/suggestions")).text
    assert "王小明" not in text
    assert "老板欠我钱" in text
    assert "年休假、病假" in text
    assert "41%" in text
    assert "拖欠、克扣工资" in text
    assert "钱坐席" in text
    assert "等处理 1" in text
    assert "没有已采用的" in (await agent.page("/desk/suggestions?state=accepted")).text
    auditor = await desk_client(StaffRole.AUDITOR)
    assert (await auditor.page("/desk/suggestions")).status_code == 403


async def test_one_takes_back_ones_own_suggestion_and_nobody_elses(desk_client: SignIn, house: House) -> None:
    agent, colleague = await desk_client(), await desk_client()
    one = await marked(house, agent.staff)
    refused = await colleague.post(f"/desk/suggestions/{one.id}/withdraw")
    assert (refused.status_code, refused.json()["error"]["message"]) == (
        403,
        "只能收回自己标的“应为”。",
    )
    assert "收回" not in (await colleague.page("/desk/suggestions")).text
    assert len(await states(house)) == 1
    assert "收回" in (await agent.page("/desk/suggestions")).text
    done = await agent.post(f"/desk/suggestions/{one.id}/withdraw")
    assert done.json()["location"] == "/desk/suggestions?done=withdrawn"
    assert await states(house) == []


async def test_a_settled_suggestion_is_not_taken_back(desk_client: SignIn, house: House) -> None:
    agent = await desk_client()
    one = await marked(house, agent.staff)
    async with house.database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        await suggestions.settle(session, one, True, boss, house.clock.now())
    assert (await agent.post(f"/desk/suggestions/{one.id}/withdraw")).status_code == 422
    assert await states(house) == [SuggestionState.ACCEPTED]


async def test_every_administration_page_offers_the_way_to_the_others(desk_client: SignIn) -> None:
    browser: DeskClient = await desk_client(StaffRole.ADMIN)
    for path in (*PAGES, "/desk/admin/staff", "/desk/suggestions"):
        text = (await browser.page(path)).text
        for other in (*PAGES, "/desk/admin/staff", "/desk/suggestions"):
            assert f'href="{other}"' in text, path
