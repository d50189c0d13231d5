"""Staff find articles by words: on the search page, as a list for a page, and as JSON."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.house import House
from casework import article_versions
from casework.article_data import as_data
from casework.clock import shanghai_day
from casework.tables import StaffRole
from tests.bot.desk.conftest import DeskClient, SignIn
from tests.factories import make_staff

FOUND = "/desk/knowledge/search"


async def topics(worker: DeskClient, query: str) -> list[str]:
    answer = await worker.get(FOUND, params={"q": query})
    assert answer.status_code == 200
    return [one["topic"] for one in answer.json()["articles"]]


@pytest.mark.parametrize("role", list(StaffRole))
async def test_an_article_is_found_by_what_a_member_said_and_leads_to_its_page(
    house: House, desk_client: SignIn, role: StaffRole
) -> None:
    worker = await desk_client(role)
    page = await worker.page("/desk/search", params={"q": "包工头拖着工钱不发"})
    assert page.status_code == 200
    article = house.knowledge.articles["labour.wage_arrears"]
    found = page.text.split('id="articles-found"')[1]
    assert f'href="/desk/knowledge/{article.topic}"' in found
    assert article.title in found
    assert "<strong>没有找到" not in page.text
    assert (await worker.page(f"/desk/knowledge/{article.topic}")).status_code == 200


async def test_a_script_gets_the_nearest_three_with_the_passage(desk_client: SignIn) -> None:
    worker = await desk_client()
    answer = await worker.get(FOUND, params={"q": "工商认定要啥材料"})
    found = answer.json()["articles"]
    assert found[0]["topic"] == "labour.work_injury"
    assert found[0]["snippet"]
    assert found[0]["href"] == "/desk/knowledge/labour.work_injury"
    assert len(found) <= 3
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_page_gets_a_list_and_nothing_found_is_said(desk_client: SignIn) -> None:
    worker = await desk_client()
    piece = (await worker.page(FOUND, params={"q": "陪产假几天"})).text
    assert piece.lstrip().startswith("<ul")
    assert "/desk/knowledge/labour.maternity" in piece
    assert "没有找到合适的知识" in (await worker.page(FOUND, params={"q": "宽带老是掉线"})).text


async def test_what_is_typed_is_not_written_into_the_page_as_markup(desk_client: SignIn) -> None:
    page = (await (await desk_client()).page("/desk/search", params={"q": "<b>年休假</b>"})).text
    assert "<b>年休假</b>" not in page


async def test_what_two_people_published_is_found_and_what_expired_is_not(
    house: House, desk_client: SignIn
) -> None:
    topic, words, now = "service.culture", "泉城广场雕塑捐赠", house.clock.now()
    worker = await desk_client()
    assert topic not in await topics(worker, words)
    data = as_data(house.knowledge.articles[topic]) | {"short": f"{words}：两个人看过的新简答。{words}。"}
    async with house.database.transaction() as session:
        author = await make_staff(session, role=StaffRole.SUPERVISOR)
        second = await make_staff(session, role=StaffRole.SUPERVISOR)
        version = await article_versions.propose(
            session, author, topic, data, house.knowledge, now, note="加上"
        )
        await article_versions.approve(session, second, version.id, house.knowledge, now, seen=None)
    assert topic in await topics(worker, words)
    ended = data | {"valid_to": (shanghai_day(now) - timedelta(days=1)).isoformat()}
    async with house.database.transaction() as session:
        over = await article_versions.propose(
            session, author, topic, ended, house.knowledge, now, note="过期"
        )
        await article_versions.approve(session, second, over.id, house.knowledge, now, seen=version.id)
    assert topic not in await topics(worker, words)


async def test_staff_find_the_article_a_crisis_keeps_from_members(desk_client: SignIn) -> None:
    assert await topics(await desk_client(), "车间里有人中暑晕倒叫不醒") != []
