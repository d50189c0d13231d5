"""The inbox's page: what is shown first, one decision by a button, two people who do not see each other."""

from __future__ import annotations

import re
from html import unescape

import pytest
from httpx import Response
from sqlalchemy import select

from bot.house import House
from casework import samples
from casework.inbox_gathering import gather
from casework.inbox_rules import InboxRules
from casework.tables import Decision, GroupState, Handling, InboxGroup, InboxMessage, StaffRole
from tests.bot.desk.conftest import DeskClient, SignIn
from tests.factories import make_conversation, make_member, make_message

HTML = {"Accept": "text/html"}
WALL = "俺垒的墙他量都不量"
CRISIS = "活着没啥意思了真的"
WAGES = "ask_wage_arrears"
LABEL = "拖欠、克扣工资"


async def gathered(house: House, words: str, intent: str = "ask_leave", share: float = 0.3) -> int:
    """A message nobody acted on, gathered; its group."""
    rules = InboxRules.load(house.settings.home / "data" / "knowledge", house.knowledge)
    now = house.clock.now()
    async with house.database.transaction() as session:
        conversation = await make_conversation(session, await make_member(session, name="张小明"))
        message = await make_message(
            session,
            conversation,
            text=words,
            intent=intent,
            confidence=share,
            accepted=False,
            handling=Handling.DONE,
            created_at=now,
        )
        await gather(session, rules, now)
        await session.flush()
        return (await session.get_one(InboxMessage, message.id)).group_id


async def state_of(house: House, group_id: int) -> tuple[GroupState, Decision | None, str | None]:
    async with house.database.read() as session:
        group = await session.get_one(InboxGroup, group_id)
        return group.state, group.decision, group.intent


async def taught(house: House, words: str) -> str | None:
    async with house.database.read() as session:
        return (await samples.current(session, house.settings.home / "data" / "nlu")).intent_of(words)


async def decide(browser: DeskClient, group_id: int, **fields: str) -> Response:
    data = {"csrf": browser.csrf, **fields}
    return await browser.post(f"/workbench/inbox/{group_id}/decide", data=data, headers=HTML)


def shown(response: Response) -> str:
    assert response.status_code == 200, response.text
    return unescape(response.text)


@pytest.fixture
async def boss(desk_client: SignIn) -> DeskClient:
    return await desk_client(StaffRole.SUPERVISOR)


async def test_what_does_most_harm_comes_first_and_nobody_is_named(house: House, boss: DeskClient) -> None:
    await gathered(house, f"{WALL}，打13805310042找张小明")
    await gathered(house, CRISIS, "crisis_self_harm")
    page = shown(await boss.page("/workbench"))
    assert "待处理 2" in page
    assert page.index(CRISIS) < page.index(WALL)
    assert "[电话]" in page
    assert "[姓名]" in page
    assert "13805310042" not in page
    assert "张小明" not in page
    assert "关系到人身安全" in page
    filtered = shown(await boss.page("/workbench?topic=labour.leave"))
    assert WALL in filtered
    assert CRISIS not in filtered
    assert "没有符合筛选的" in shown(await boss.page("/workbench?reason=thumbs_down"))


async def test_an_empty_inbox_says_so(boss: DeskClient) -> None:
    assert "都处理完了" in shown(await boss.page("/workbench"))


async def test_one_button_decides_and_one_takes_it_back(house: House, boss: DeskClient) -> None:
    group_id = await gathered(house, WALL)
    following = await gathered(house, "年假跟病假能不能一块歇呀", WAGES)
    done = await decide(boss, group_id, choice="intent:ask_leave", next=str(following))
    assert done.status_code == 303
    after = shown(await boss.page(done.headers["location"]))
    assert "✔ 定了：年休假、病假" in after
    assert f"/workbench/inbox/{following}/decide" in after
    assert await taught(house, WALL) == "ask_leave"
    again = await decide(boss, group_id, choice="intent:ask_leave")
    assert again.status_code == 422
    assert "刚才已经有人定了" in again.text
    back = await boss.post(f"/workbench/inbox/{group_id}/undo", data={"csrf": boss.csrf}, headers=HTML)
    assert "撤销了" in shown(await boss.page(back.headers["location"]))
    assert await state_of(house, group_id) == (GroupState.OPEN, None, None)
    assert await taught(house, WALL) is None


@pytest.mark.parametrize("said", [LABEL, WAGES, "克扣"])
async def test_another_intent_is_found_by_its_label_its_name_or_a_part_of_it(
    house: House, boss: DeskClient, said: str
) -> None:
    group_id = await gathered(house, WALL)
    assert (await decide(boss, group_id, choice="", other=said)).status_code == 303
    assert await state_of(house, group_id) == (GroupState.SETTLED, Decision.INTENT, WAGES)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"choice": "other", "other": "工"}, "或者不止一个"),
        ({"choice": "other", "other": "没有这个"}, "没有找到这个意图"),
        ({"choice": ""}, "先选职工想说的是什么"),
        ({"choice": "intent:nlu_fallback"}, "没有这个"),
        ({"choice": f"intent:{WAGES}", "text": "打13805310042找我说这个墙"}, "可能有姓名、电话"),
        ({"choice": f"intent:{WAGES}", "text": "[历下](nowhere)垒的墙"}, "nowhere"),
    ],
)
async def test_what_cannot_be_decided_says_why_and_what_was_typed_stays(
    house: House, boss: DeskClient, fields: dict[str, str], words: str
) -> None:
    group_id = await gathered(house, WALL)
    answer = await decide(boss, group_id, note="先记着", **fields)
    assert answer.status_code == 422
    page = unescape(answer.text)
    alert = re.search(r'role="alert">([^<]*)', page)
    assert alert is not None
    assert words in alert[1]
    assert "先记着" in page
    if "text" in fields:
        assert fields["text"] in page
    assert (await state_of(house, group_id))[0] is GroupState.OPEN


async def test_the_sentence_may_be_put_better_with_a_fact_marked(house: House, boss: DeskClient) -> None:
    group_id = await gathered(house, WALL)
    marked = "在[历下](district)垒的墙他量都不量"
    await decide(boss, group_id, choice=f"intent:{WAGES}", text=marked)
    async with house.database.read() as session:
        current = await samples.current(session, house.settings.home / "data" / "nlu")
    assert marked in current.sentences[WAGES]


@pytest.mark.parametrize(
    ("choice", "shelf", "label"),
    [
        ("out_of_scope", "settled", "不归我们管"),
        ("new_topic", "new_topic", "要新主题"),
        ("skip", "settled", "跳过"),
    ],
)
async def test_none_of_the_intents_is_a_decision_too(
    house: House, boss: DeskClient, choice: str, shelf: str, label: str
) -> None:
    group_id = await gathered(house, "小区的停车费涨价管不管")
    await decide(boss, group_id, choice=choice)
    page = shown(await boss.page(f"/workbench?list={shelf}"))
    assert "小区的停车费涨价管不管" in page
    assert f"定成：{label}" in page


async def test_of_a_crisis_the_second_one_does_not_see_what_the_first_one_said(
    house: House, boss: DeskClient, desk_client: SignIn
) -> None:
    other = await desk_client(StaffRole.SUPERVISOR)
    group_id = await gathered(house, CRISIS, "crisis_self_harm")
    first = await decide(boss, group_id, choice=f"intent:{WAGES}", text="活着没啥意思啊", note="我看是发牢骚")
    assert "还要等另一个人也来定" in shown(await boss.page(first.headers["location"]))
    assert await taught(house, "活着没啥意思啊") is None
    assert "待第二人 0" in shown(await boss.page("/workbench?list=second"))
    seen = shown(await other.page("/workbench?list=second"))
    assert "待第二人 1" in seen
    assert "有人定过这一组了" in seen
    for told in ("我看是发牢骚", "活着没啥意思啊", "你定过了"):
        assert told not in seen
    refused = await decide(boss, group_id, choice=f"intent:{WAGES}")
    assert refused.status_code == 422
    await decide(other, group_id, choice="intent:crisis_self_harm", note="是求救")
    assert (await state_of(house, group_id))[0] is GroupState.DISPUTED
    dispute = shown(await boss.page("/workbench?list=disputed"))
    for told in ("我看是发牢骚", "是求救", "两个人定得不一样", "两个人各自定过的 1 组里，0 组定得一样"):
        assert told in dispute
    third = await desk_client(StaffRole.ADMIN)
    await decide(third, group_id, choice="intent:crisis_self_harm")
    assert await state_of(house, group_id) == (GroupState.SETTLED, Decision.INTENT, "crisis_self_harm")
    assert await taught(house, CRISIS) == "crisis_self_harm"


async def test_where_a_sentence_stands_already_is_said(house: House, boss: DeskClient) -> None:
    async with house.database.read() as session:
        current = await samples.current(session, house.settings.home / "data" / "nlu")
    words = next(text for text in current.sentences[WAGES] if "[" not in text and len(text) > 8)
    await gathered(house, words)
    assert f"这句话已经是「{LABEL}」的例句" in shown(await boss.page("/workbench"))


async def test_the_doors_are_shut_to_who_may_not_teach_and_to_forged_forms(
    house: House, boss: DeskClient, desk_client: SignIn
) -> None:
    group_id = await gathered(house, WALL)
    agent = await desk_client(StaffRole.AGENT)
    assert (await agent.page("/workbench")).status_code == 403
    assert (await decide(agent, group_id, choice="skip")).status_code == 403
    for name in [name for name in boss.headers if "csrf" in name.lower()]:
        del boss.headers[name]
    forged = await boss.post(
        f"/workbench/inbox/{group_id}/decide", data={"csrf": "forged", "choice": "skip"}, headers=HTML
    )
    assert forged.status_code == 403
    assert (await state_of(house, group_id))[0] is GroupState.OPEN


async def test_a_group_nobody_knows_is_no_broken_page(boss: DeskClient) -> None:
    assert (await boss.page("/workbench?group=4711")).status_code == 200
    assert (await decide(boss, 4711, choice="skip")).status_code == 404


async def test_a_colleague_does_not_take_back_what_another_decided(
    house: House, boss: DeskClient, desk_client: SignIn
) -> None:
    group_id = await gathered(house, WALL)
    await decide(boss, group_id, choice="skip")
    other = await desk_client(StaffRole.SUPERVISOR)
    back = await other.post(f"/workbench/inbox/{group_id}/undo", data={"csrf": other.csrf}, headers=HTML)
    assert back.status_code == 409
    assert "这是同事定的，只能撤销自己定的" in unescape(back.text)
    assert (await state_of(house, group_id))[0] is GroupState.SETTLED


async def test_every_list_says_how_many_wait_in_it(
    house: House, boss: DeskClient, desk_client: SignIn
) -> None:
    for words, choice in (("小区停车费涨了", "out_of_scope"), ("狗咬了人谁赔", "new_topic"), (WALL, "skip")):
        await decide(boss, await gathered(house, words), choice=choice)
    crisis = await gathered(house, CRISIS, "crisis_self_harm")
    await gathered(house, "年假跟病假能不能一块歇呀", WAGES)
    await decide(boss, crisis, choice="skip")
    other = await desk_client(StaffRole.SUPERVISOR)
    page = shown(await other.page("/workbench"))
    for said in ("待处理 1", "待第二人 1", "有分歧 0", "新主题 1", "已处理 2"):
        assert said in page, said
    await decide(other, crisis, choice="intent:crisis_self_harm")
    page = shown(await other.page("/workbench"))
    assert "待第二人 0" in page
    assert "有分歧 1" in page


async def test_what_the_hotline_said_is_the_first_choice(house: House, boss: DeskClient) -> None:
    group_id = await gathered(house, WALL, "ask_leave", 0.6)
    async with house.database.transaction() as session:
        message = (await session.scalars(select(InboxMessage).where(InboxMessage.group_id == group_id))).one()
        message.should_intent = WAGES
    page = shown(await boss.page("/workbench"))
    choices = re.findall(r'name="choice" value="intent:(\w+)"[^>]*data-key="(\d)"', page)
    assert choices[0] == (WAGES, "1")
    assert ("ask_leave", "2") in choices
