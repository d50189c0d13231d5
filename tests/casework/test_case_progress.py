"""Case progress and the link to its page: the member sees theirs, a link shows how far it is and no more."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from casework import case_joining, case_work, cases
from casework.case_life import Actor, Deed, move
from casework.case_links import case_of_token, case_token, page_url
from casework.case_progress import member_view, public_view
from casework.case_types import CaseTypes
from casework.crypto import Cipher, install_cipher
from casework.database import Database
from casework.errors import NotFound
from casework.privacy import forget_member
from casework.tables import Case, CaseState, SearchTerm
from casework.wording import Wording
from tests.conftest import TEST_KEY
from tests.factories import make_case, make_conversation, make_staff

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
WORDING = Wording.load(KNOWLEDGE)
TYPES = CaseTypes.load(KNOWLEDGE / "case_types.yml")

WAY = "受理 派单 办理 办结 回访"


@pytest.mark.parametrize(
    ("state", "labels", "places"),
    [
        (CaseState.ACCEPTED, WAY, "current ahead ahead ahead ahead"),
        (CaseState.RETURNED, WAY, "current ahead ahead ahead ahead"),
        (CaseState.ASSIGNED, WAY, "done current ahead ahead ahead"),
        (CaseState.IN_PROGRESS, WAY, "done done current ahead ahead"),
        (CaseState.RESOLVED, WAY, "done done done current ahead"),
        (CaseState.FOLLOWED_UP, WAY, "done done done done current"),
        (CaseState.ARCHIVED, "受理 派单 办理 办结", "done done done done"),
        (CaseState.WITHDRAWN, "受理 撤销", "done done"),
    ],
)
async def test_the_steps_follow_the_state(
    sqlite_database: Database, state: CaseState, labels: str, places: str
) -> None:
    async with sqlite_database.transaction() as session:
        view = await member_view(session, await make_case(session, state=state), WORDING, TYPES)
    assert " ".join(step.label for step in view.steps) == labels
    assert " ".join(step.place for step in view.steps) == places


async def test_a_case_followed_up_before_it_was_archived_shows_that_step(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        staff = Actor.of_staff(await make_staff(session))
        case = await make_case(session, state=CaseState.RESOLVED)
        await move(session, case, Deed.FOLLOW_UP, staff, reason="满意", now=now)
        await move(session, case, Deed.ARCHIVE, staff, reason=None, now=now)
        view = await member_view(session, case, WORDING, TYPES)
    assert [step.place for step in view.steps] == ["done"] * 5


async def test_a_member_sees_what_was_done_what_is_awaited_and_until_when(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        staff = await make_staff(session)
        case = await make_case(session, conversation, state=CaseState.IN_PROGRESS)
        case.due_at = now.replace(hour=17)
        await case_work.note(session, case, staff, text="像是老赖", now=now, wording=WORDING)
        await case_work.ask_member(session, case, staff, text="请发流水", now=now, wording=WORDING)
        view = await member_view(session, case, WORDING, TYPES)
        assert (view.label, view.state_label) == ("劳动争议", "办理中")
        assert [event.text for event in view.events] == ["请您补充：请发流水"]
        assert view.events[0].day == "07-20 09:30"
        assert view.awaited == "请发流水"
        # 17:00 in UTC is the next day in Shanghai.
        assert str(view.due_on) == "2026-07-21"
        await cases.add_supplement(session, case, text="发了", message_id=None, now=now)
        assert (await member_view(session, case, WORDING, TYPES)).awaited is None
        await case_work.resolve(session, case, staff, reason="补发了", now=now, wording=WORDING)
        assert (await member_view(session, case, WORDING, TYPES)).due_on is None


async def test_the_number_that_goes_on_is_shown_to_its_own_member_only(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        staff = await make_staff(session)
        own, other = await make_case(session, conversation), await make_case(session)
        mine, theirs = await make_case(session, conversation), await make_case(session, conversation)
        await case_joining.merge(session, mine, staff, into=own, now=now, wording=WORDING)
        await case_joining.merge(session, theirs, staff, into=other, now=now, wording=WORDING)
        assert (await member_view(session, mine, WORDING, TYPES)).merged_into == own.number
        assert (await member_view(session, theirs, WORDING, TYPES)).merged_into is None
        public = [await public_view(session, case, WORDING) for case in (mine, theirs, own)]
        assert [view.merged for view in public] == ["merged", "merged_elsewhere", None]
        assert own.number not in repr(public[0])


async def test_the_public_view_holds_no_word_that_anybody_wrote(
    sqlite_database: Database, now: datetime
) -> None:
    secrets = ["王建国", "13800001234", "大发公司", "没发工资", "等单位回函", "工资条", "labour", "劳动争议"]
    async with sqlite_database.transaction() as session:
        conversation = await make_conversation(session)
        staff = await make_staff(session)
        case = await make_case(
            session,
            conversation,
            state=CaseState.IN_PROGRESS,
            summary="没发工资",
            facts={"person_name": "王建国", "phone": "13800001234", "employer": "大发公司"},
        )
        due = now + timedelta(days=1)
        await case_work.extend(
            session, case, staff, reason="等单位回函", due_at=due, now=now, wording=WORDING
        )
        await case_work.ask_member(session, case, staff, text="工资条", now=now, wording=WORDING)
        view = await public_view(session, case, WORDING)
    assert [event.text for event in view.events] == ["办理时间延长", "请本人补充内容"]
    assert view.awaited is True
    assert [secret for secret in secrets if secret in repr(view)] == []


async def test_a_link_opens_its_case_and_no_other(database: Database) -> None:
    async with database.transaction() as session:
        case, other = await make_case(session), await make_case(session)
        token = case_token(case.id)
        assert page_url("https://a.example/", case.id) == f"https://a.example/case/{token}"
        assert len(token) == 43
        assert (await case_of_token(session, token)).id == case.id
        swapped = case_token(other.id)[:21] + token[21:]
        flipped = ("A" if token[0] != "A" else "B") + token[1:]
        wrong = ["", "x", token[:-2], token + "A", flipped, swapped, case.id, "é" * 43, "=" * 43, "A" * 43]
        for bad in wrong:
            with pytest.raises(NotFound):
                await case_of_token(session, bad)


async def test_a_link_outlives_a_new_key_and_not_the_loss_of_its_own(sqlite_database: Database) -> None:
    new_key = bytes(reversed(range(32)))
    async with sqlite_database.transaction() as session:
        case = await make_case(session)
        token = case_token(case.id)
        install_cipher(Cipher([new_key, TEST_KEY]))
        assert (await case_of_token(session, token)).id == case.id
        assert case_token(case.id) != token
        install_cipher(Cipher([new_key]))
        with pytest.raises(NotFound):
            await case_of_token(session, token)


async def test_a_link_is_dead_once_its_member_was_erased(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        case = await make_case(session)
        await forget_member(session, case.member_id, now, withdraw_open=True)
        with pytest.raises(NotFound):
            await case_of_token(session, case_token(case.id))


async def test_what_is_written_in_a_case_can_be_found(sqlite_database: Database, now: datetime) -> None:
    async def terms(case: Case) -> set[int]:
        return set(await session.scalars(select(SearchTerm.term).where(SearchTerm.ref == case.id)))

    async with sqlite_database.transaction() as session:
        staff = await make_staff(session)
        case = await make_case(session)
        await case_work.note(session, case, staff, text="联系了大发公司", now=now, wording=WORDING)
        after_note = await terms(case)
        assert after_note
        await case_work.amend_facts(
            session, case, staff, {"employer": "小发公司"}, case_types=TYPES, now=now, wording=WORDING
        )
        assert await terms(case) - after_note
