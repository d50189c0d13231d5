"""A given sheet as it is shown later: deadlines counted anew, the newest one, how long its link is good."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from casework.claims import drafts
from casework.claims.links import GOOD_FOR, LinkOver, sheet_of_token, sheet_token, sheet_url
from casework.claims.shown import (
    ShownClaim,
    ShownSheet,
    Standing,
    sheet_of_case,
    sheet_of_conversation,
    show,
)
from casework.clock import shanghai_day
from casework.database import Database
from casework.errors import NotFound
from casework.tables import ClaimSheet, SheetState
from tests.claim_sheets import claims, give_sheet
from tests.factories import make_case, make_conversation, make_member


async def shown(database: Database, now: datetime, today: date | None = None, **how: str) -> ShownSheet:
    """The sheet of a story as it is shown on a day."""
    async with database.transaction() as session:
        view = show(await give_sheet(session, now, **how), today or shanghai_day(now))  # type: ignore[arg-type]
    assert view is not None
    return view


def claim_of(view: ShownSheet, right: str) -> ShownClaim:
    """One claim of a sheet."""
    return next(one for one in view.claims if one.right == right)


async def test_amounts_steps_evidence_and_alternatives_are_as_they_were_given(
    database: Database, now: datetime
) -> None:
    view = await shown(database, now)
    owed = claim_of(view, "wage_arrears")
    assert f"{owed.amount}" == "12000.00"
    assert owed.steps
    assert "工友作证" in claim_of(view, "double_wage").held
    assert "劳动合同" not in claim_of(view, "double_wage").held
    assert claim_of(view, "severance").alternative_to == claim_of(view, "unlawful_dismissal").label
    counted = [one.amount for one in view.claims if one.amount is not None and one.alternative_to is None]
    assert view.total == sum(counted)


@pytest.mark.parametrize(
    ("today", "standing", "left"),
    [
        (date(2026, 7, 20), Standing.OPEN, 254),
        (date(2027, 2, 28), Standing.OPEN, 31),
        (date(2027, 3, 1), Standing.NEAR, 30),
        (date(2027, 3, 31), Standing.NEAR, 0),
        (date(2027, 4, 1), Standing.PAST, -1),
    ],
)
async def test_the_days_left_are_counted_on_the_day_it_is_looked_at(
    database: Database, now: datetime, today: date, standing: Standing, left: int
) -> None:
    deadline = claim_of(await shown(database, now, today), "wage_arrears").deadline
    assert deadline is not None
    assert (deadline.day, deadline.days_left, deadline.standing) == (date(2027, 3, 31), left, standing)
    assert not deadline.was_past


async def test_a_deadline_that_is_not_known_stays_so(database: Database, now: datetime) -> None:
    view = await shown(database, now, story="公司把我辞退了")
    deadline = claim_of(view, "unlawful_dismissal").deadline
    assert deadline is not None
    assert (deadline.day, deadline.days_left, deadline.standing) == (None, None, Standing.UNKNOWN)
    assert "每月工资" in view.missing
    assert view.total is None


async def test_the_time_to_sue_does_not_begin_anew(database: Database, now: datetime) -> None:
    view = await shown(database, now, story="仲裁裁决书下来了，我不服")
    deadline = claim_of(view, "lawsuit").deadline
    assert deadline is not None
    assert deadline.fixed


async def test_a_sheet_that_was_not_given_shows_nothing() -> None:
    assert show(ClaimSheet(sheet=None), date(2026, 7, 20)) is None


async def test_the_newest_sheet_given_is_found_by_conversation_and_by_case(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        case = await make_case(session, conversation)
        assert await sheet_of_conversation(session, conversation.id) is None
        assert await sheet_of_case(session, case.id) is None
        await give_sheet(session, now, conversation=conversation)
        newest = await give_sheet(session, now + timedelta(hours=1), conversation=conversation)
        asking = await drafts.begin(session, conversation, claims(), "公司把我辞退了", {}, None, now)
        assert asking.state is SheetState.ASKING
        await drafts.attach_to_case(session, conversation.id, case.id, now)
        for found in (
            await sheet_of_conversation(session, conversation.id),
            await sheet_of_case(session, case.id),
        ):
            assert found is not None
            assert found.id == newest.id


async def test_a_link_opens_its_sheet_for_thirty_days(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        sheet = await give_sheet(session, now)
        token = sheet_token(sheet.id)
        assert sheet_url("https://njr.example.org/", sheet) == f"https://njr.example.org/claims/{token}"
        assert (await sheet_of_token(session, token, now + GOOD_FOR)).id == sheet.id
        with pytest.raises(LinkOver):
            await sheet_of_token(session, token, now + GOOD_FOR + timedelta(seconds=1))


async def test_no_other_token_opens_anything(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        sheet = await give_sheet(session, now)
        token = sheet_token(sheet.id)
        flipped = ("A" if token[30] != "A" else "B").join((token[:30], token[31:]))
        for wrong in ("", "x", "A" * 43, token[:-1], token + "A", flipped, "é" * 43):
            with pytest.raises(NotFound):
                await sheet_of_token(session, wrong, now)


async def test_an_asking_sheet_and_an_erased_members_are_not_opened(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        asking = await drafts.begin(
            session, await make_conversation(session), claims(), "公司把我辞退了", {}, None, now
        )
        member = await make_member(session)
        sheet = await give_sheet(session, now, conversation=await make_conversation(session, member))
        member.erased_at = now
        await session.flush()
        for closed in (asking, sheet):
            with pytest.raises(NotFound):
                await sheet_of_token(session, sheet_token(closed.id), now)
