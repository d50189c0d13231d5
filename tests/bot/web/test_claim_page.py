"""The claim sheet's page: all of it for whoever holds the link, for thirty days, and then nothing."""

from __future__ import annotations

import re
from datetime import date, timedelta

import httpx
import pytest

from bot.house import House
from casework.claims.links import sheet_token
from casework.clock import FixedClock
from casework.tables import ClaimSheet, Station
from tests.claim_sheets import STORY, give_sheet
from tests.factories import make_conversation, make_member


async def given(house: House, story: str = STORY, **how: object) -> ClaimSheet:
    """A sheet given now."""
    async with house.database.transaction() as session:
        return await give_sheet(session, house.clock.now(), story=story, **how)  # type: ignore[arg-type]


async def open_page(client: httpx.AsyncClient, sheet: ClaimSheet) -> httpx.Response:
    """What its link opens."""
    return await client.get(f"/claims/{sheet_token(sheet.id)}")


async def test_the_page_shows_total_claims_articles_deadlines_proof_and_way(
    client: httpx.AsyncClient, house: House
) -> None:
    sheet = await given(house)
    response = await open_page(client, sheet)
    assert response.status_code == 200
    page = response.text
    assert sheet.sheet is not None
    for claim in sheet.sheet["claims"]:
        assert f">{claim['label']}</h2>" in page
    for shown in (
        "96,000 元",
        "12,000 元",
        "估算，不作裁判依据",
        "最晚 2027年3月31日",
        "还有 254 天",
        "二选一：和“违法辞退赔偿金（2N）”只能要一样",
        "《中华人民共和国劳动合同法》第八十二条",
        '<li class="held">',
        "劳动仲裁",
        "别转发",
        "2026年8月19日以前能打开",
        "您说：",
        'href="tel:12351"',
    ):
        assert shown in page, shown


async def test_what_cannot_be_reckoned_says_why_and_what_is_missing(
    client: httpx.AsyncClient, house: House
) -> None:
    page = (await open_page(client, await given(house, "公司把我辞退了"))).text
    for shown in ("还算不出总数", "还算不出，因为：", "补上这些才能算", "每月应得多少钱", "您在哪个区县"):
        assert shown in page, shown
    assert 'class="amount"' not in page


async def test_an_end_that_is_near_is_marked_and_one_that_has_passed_is_said_kindly(
    client: httpx.AsyncClient, house: House, clock: FixedClock
) -> None:
    story = "老板欠我3个月工资没给，一个月5000元，我2025年8月10日离职的"
    facts = {"months_owed": "3", "monthly_wage": "5000", "left_on": "2025-08-10"}
    sheet = await given(house, story, facts=facts)
    page = (await open_page(client, sheet)).text
    assert 'class="when near"' in page
    assert "还有 21 天" in page
    clock.advance(timedelta(days=25))
    page = (await open_page(client, sheet)).text
    assert 'class="when past"' in page
    assert "已经过了 4 天" in page
    assert "先别放弃" in page


async def test_offices_that_are_samples_say_so(client: httpx.AsyncClient, house: House) -> None:
    async with house.database.transaction() as session:
        session.add(
            Station(
                code="SAMPLE-1",
                name="示例法律援助站",
                kind="legal_aid",
                district="历下区",
                is_sample=True,
                source="示例",
                checked_on=date(2026, 7, 1),
            )
        )
    page = (await open_page(client, await given(house))).text
    assert "示例法律援助站" in page
    assert "不是真的站点" in page


async def test_without_offices_the_hotlines_are_named(client: httpx.AsyncClient, house: House) -> None:
    page = (await open_page(client, await given(house))).text
    assert "您这个区县的站点还没有收录" in page
    assert "12333" in page


async def test_the_page_is_neither_kept_nor_indexed_and_says_nothing_to_other_sites(
    client: httpx.AsyncClient, house: House
) -> None:
    sheet = await given(house)
    for response in (await open_page(client, sheet), await client.get("/claims/nothing")):
        assert response.headers["cache-control"] == "no-store"
        assert "noindex" in response.headers["x-robots-tag"]
        assert response.headers["referrer-policy"] == "no-referrer"
        assert '<meta name="robots" content="noindex, nofollow">' in response.text
        assert "style=" not in response.text
        assert "http" not in re.sub(r"<!doctype.*?<body", "", response.text, flags=re.S)
    assert sheet.id not in (await open_page(client, sheet)).text


async def test_after_thirty_days_the_link_is_gone_and_says_what_to_do(
    client: httpx.AsyncClient, house: House, clock: FixedClock
) -> None:
    sheet = await given(house)
    clock.advance(timedelta(days=30, seconds=1))
    response = await open_page(client, sheet)
    assert response.status_code == 410
    assert "过了 30 天" in response.text
    assert "96,000" not in response.text


@pytest.mark.parametrize("token", ["x", "A" * 43, "é", "%00", "<b>"])
async def test_any_other_link_finds_nothing(client: httpx.AsyncClient, token: str) -> None:
    response = await client.get(f"/claims/{token}")
    assert response.status_code == 404
    assert "没有这份清单" in response.text
    assert "<b>" not in response.text


async def test_a_member_who_was_erased_has_no_page(client: httpx.AsyncClient, house: House) -> None:
    async with house.database.transaction() as session:
        member = await make_member(session)
        sheet = await give_sheet(
            session, house.clock.now(), conversation=await make_conversation(session, member)
        )
        member.erased_at = house.clock.now()
    assert (await open_page(client, sheet)).status_code == 404


async def test_a_members_words_are_escaped(client: httpx.AsyncClient, house: House) -> None:
    sheet = await given(house, "<script>alert(1)</script>公司把我辞退了，<img src=x>一直没签合同")
    page = (await open_page(client, sheet)).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page


# --- the drafts


async def test_every_document_the_page_offers_can_be_had_as_a_file_and_to_print(
    client: httpx.AsyncClient, house: House
) -> None:
    sheet = await given(house)
    page = (await open_page(client, sheet)).text
    offered = sorted(set(re.findall(r'href="(/claims/[^"]+/documents/[^"]+)"', page)))
    assert any("arbitration_application" in one for one in offered)
    assert len(offered) >= 4
    for path in offered:
        response = await client.get(path)
        assert response.status_code == 200, path
        assert response.headers["cache-control"] == "no-store"
        if path.endswith(".docx"):
            assert response.content.startswith(b"PK")
            assert response.headers["content-disposition"].startswith("attachment")
        else:
            assert "草稿" in response.text
            assert "style=" not in response.text


async def test_a_draft_does_not_name_its_member(client: httpx.AsyncClient, house: House) -> None:
    async with house.database.transaction() as session:
        member = await make_member(session, name="赵铁柱", phone="13905310531")
        sheet = await give_sheet(
            session, house.clock.now(), conversation=await make_conversation(session, member)
        )
    path = f"/claims/{sheet_token(sheet.id)}/documents/arbitration_application"
    page = (await client.get(path)).text
    assert "赵铁柱" not in page
    assert "13905310531" not in page


@pytest.mark.parametrize("name", ["work_injury_points", "lottery", "x" * 200])
@pytest.mark.parametrize("suffix", ["", ".docx"])
async def test_a_document_there_is_no_reason_for_is_404(
    client: httpx.AsyncClient, house: House, name: str, suffix: str
) -> None:
    sheet = await given(house)
    response = await client.get(f"/claims/{sheet_token(sheet.id)}/documents/{name}{suffix}")
    assert response.status_code == 404


@pytest.mark.parametrize("suffix", ["", ".docx"])
async def test_a_draft_ends_with_its_sheet(
    client: httpx.AsyncClient, house: House, clock: FixedClock, suffix: str
) -> None:
    path = f"/documents/arbitration_application{suffix}"
    assert (await client.get(f"/claims/{'A' * 43}{path}")).status_code == 404
    sheet = await given(house)
    clock.advance(timedelta(days=30, seconds=1))
    assert (await client.get(f"/claims/{sheet_token(sheet.id)}{path}")).status_code == 410
