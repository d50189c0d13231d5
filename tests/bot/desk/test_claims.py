"""The claim sheet at the desk: on its case, beside its conversation, masked as all that a member said."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.house import House
from casework.claims import drafts
from casework.claims.links import sheet_token
from casework.clock import FixedClock
from casework.tables import Case, ClaimSheet, Conversation, StaffRole
from tests.bot.desk.case_people import open_one
from tests.bot.desk.conftest import SignIn
from tests.claim_sheets import ANSWERS, FACTS, STORY, give_sheet
from tests.factories import make_conversation

PHONE = "13905310531"


async def told(house: House, story: str = STORY, **how: object) -> tuple[Conversation, Case, ClaimSheet]:
    """A conversation whose sheet was put into a case."""
    async with house.database.transaction() as session:
        conversation = await make_conversation(session)
    case = await open_one(house, conversation=conversation)
    async with house.database.transaction() as session:
        now = house.clock.now()
        sheet = await give_sheet(session, now, story=story, conversation=conversation, **how)  # type: ignore[arg-type]
        await drafts.attach_to_case(session, conversation.id, case.id, now)
    return conversation, case, sheet


async def test_the_case_and_the_conversation_show_claims_amounts_deadlines_and_proof(
    house: House, desk_client: SignIn
) -> None:
    conversation, case, sheet = await told(house)
    worker = await desk_client(StaffRole.AGENT)
    for address in (f"/desk/cases/{case.number}", f"/desk/c/{conversation.id}"):
        page = (await worker.page(address)).text
        for shown in (
            "权益清单",
            "96,000 元",
            "12,000 元",
            "2027-03-31 还剩 254 天",
            "二选一，没算进合计",
            "工友作证",
            "估算，不作裁判依据",
        ):
            assert shown in page, f"{address}: {shown}"
        assert sheet_token(sheet.id) not in page


async def test_without_a_sheet_there_is_no_panel(house: House, desk_client: SignIn) -> None:
    case = await open_one(house)
    worker = await desk_client(StaffRole.AGENT)
    assert "权益清单" not in (await worker.page(f"/desk/cases/{case.number}")).text
    assert "权益清单" not in (await worker.page(f"/desk/c/{case.conversation_id}")).text


async def test_what_is_still_missing_is_named(house: House, desk_client: SignIn) -> None:
    _, case, _ = await told(house, "公司把我辞退了", facts={}, answers={})
    page = (await (await desk_client(StaffRole.AGENT)).page(f"/desk/cases/{case.number}")).text
    assert "还算不出总数" in page
    (missing,) = re.findall("<b>还缺：</b>(.*?)</p>", page)
    assert set(missing.split("、")) >= {"入职日期", "离开日期", "每月工资"}


async def test_an_end_that_is_near_or_over_stands_out(
    house: House, desk_client: SignIn, clock: FixedClock
) -> None:
    _, case, _ = await told(house)
    worker = await desk_client(StaffRole.AGENT)
    clock.advance(timedelta(days=250))
    worker = await desk_client(StaffRole.AGENT)
    assert "◆ 2027-03-31 还剩 4 天" in (await worker.page(f"/desk/cases/{case.number}")).text
    clock.advance(timedelta(days=9))
    worker = await desk_client(StaffRole.AGENT)
    assert "▲ 2027-03-31 已过 5 天" in (await worker.page(f"/desk/cases/{case.number}")).text


async def test_phones_in_what_was_said_are_masked(house: House, desk_client: SignIn) -> None:
    story = f"公司把我辞退了，一直没签合同打{PHONE}找我"
    conversation, case, sheet = await told(house, story, facts=FACTS, answers=ANSWERS)
    assert PHONE in str(sheet.sheet)
    for role in (StaffRole.AGENT, StaffRole.AUDITOR):
        worker = await desk_client(role)
        for address in (f"/desk/cases/{case.number}", f"/desk/c/{conversation.id}"):
            response = await worker.page(address)
            assert "权益清单" in response.text
            assert PHONE not in response.text
