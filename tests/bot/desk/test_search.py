from __future__ import annotations

import pytest

from bot.house import House
from casework import search
from casework.tables import Case, Conversation, StaffRole
from tests.bot.desk.case_people import NAME, PHONE, open_one
from tests.bot.desk.conftest import SignIn
from tests.factories import make_conversation, make_member, make_message


async def told(house: House) -> tuple[Conversation, Case]:
    """A conversation of 赵铁柱 with a case of his, both indexed."""
    async with house.database.transaction() as session:
        member = await make_member(session, name=NAME, phone=PHONE)
        talk = await make_conversation(session, member)
        message = await make_message(session, talk, text=f"老板拖欠俺工钱，打{PHONE}")
        await search.index_member(session, member)
        await search.index_message(session, message)
    case = await open_one(house, conversation=talk)
    async with house.database.transaction() as session:
        await search.index_case(session, await session.get_one(Case, case.id))
    return talk, case


@pytest.mark.parametrize(
    ("query", "why", "talk_too"),
    [("铁柱", "姓名", True), ("0531", "电话", True), ("拖欠", "内容", True), ("欠薪", "内容", False)],
)
async def test_two_characters_or_a_phones_tail_find_it_masked_and_say_what_matched(
    house: House, desk_client: SignIn, query: str, why: str, talk_too: bool
) -> None:
    talk, case = await told(house)
    for role in (StaffRole.AGENT, StaffRole.AUDITOR):
        page = await (await desk_client(role)).page("/desk/search", params={"q": query})
        assert page.status_code == 200
        assert (f"/desk/c/{talk.id}" in page.text) is talk_too
        assert (f"/desk/cases/{case.number}" in page.text) is (query != "拖欠")
        assert f"{why}对上了" in page.text
        assert "赵**" in page.text
        assert NAME not in page.text
        assert PHONE not in page.text


async def test_a_case_is_found_by_the_end_of_its_number(house: House, desk_client: SignIn) -> None:
    _, case = await told(house)
    digits = "".join(mark for mark in case.number if mark.isdigit())
    page = (await (await desk_client()).page("/desk/search", params={"q": digits[-5:]})).text
    assert f"/desk/cases/{case.number}" in page
    assert "工单号对上了" in page


@pytest.mark.parametrize(("query", "said"), [("一", "至少写两个字"), ("长" * 61, "最多 60 个字")])
async def test_what_cannot_be_looked_for_is_said_beside_the_field(
    desk_client: SignIn, query: str, said: str
) -> None:
    worker = await desk_client()
    page = await worker.page("/desk/search", params={"q": query})
    assert page.status_code == 422
    problem = page.text.split('id="search-problem"')[1].partition("</p>")[0]
    assert said in problem
    assert 'aria-invalid="true"' in page.text
    answer = await worker.get("/desk/search", params={"q": query})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_input")


async def test_without_a_wish_nothing_is_looked_for_and_nothing_found_says_so(
    desk_client: SignIn,
) -> None:
    worker = await desk_client()
    empty = (await worker.page("/desk/search")).text
    assert "<strong>没有找到" not in empty
    assert "autofocus" in empty
    assert "<strong>没有找到" in (await worker.page("/desk/search?q=没有的词")).text


async def test_when_only_the_newest_were_looked_at_it_is_said(
    house: House, desk_client: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.desk.searching.LIMIT", 1)
    await told(house)
    page = (await (await desk_client()).page("/desk/search?q=铁柱")).text
    assert "只查了最近的" in page


async def test_a_script_gets_the_same_as_json(house: House, desk_client: SignIn) -> None:
    talk, case = await told(house)
    answer = await (await desk_client()).get("/desk/search", params={"q": "铁柱"})
    found = answer.json()
    assert found["complete"] is True
    assert {one["href"] for one in found["results"]} == {f"/desk/c/{talk.id}", f"/desk/cases/{case.number}"}
    assert {one["why"] for one in found["results"]} == {"name"}
    assert NAME not in answer.text


async def test_the_words_of_a_query_are_text_and_not_markup(desk_client: SignIn) -> None:
    page = (
        await (await desk_client()).page("/desk/search", params={"q": '"><script>alert(1)</script>'})
    ).text
    assert "<script>alert" not in page


async def test_the_page_keeps_no_trace_of_a_search(desk_client: SignIn) -> None:
    answer = await (await desk_client()).page("/desk/search?q=铁柱")
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
