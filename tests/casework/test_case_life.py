"""A case's life: every cell of the table, what is in it and what is not."""

from __future__ import annotations

import ast
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.case_life import (
    MAX_REASON,
    TRANSITIONS,
    Actor,
    Deed,
    Role,
    deeds_open_to,
    move,
    possible_deeds,
    step_for,
)
from casework.database import Database
from casework.errors import BadInput, NotAllowed, NotFound, TransitionRefused
from casework.tables import Audience, AuditEntry, Author, Case, CaseEvent, CaseState, Staff, StaffRole
from casework.wording import Wording
from tests.factories import make_case, make_member, make_staff

HOME = Path(__file__).parents[2]
OPEN = ("accepted", "assigned", "in_progress", "returned")

# The life as docs/architecture.md tells it, written down a second time: deed → from-states → to-state, who.
EXPECTED: dict[tuple[str, str], tuple[str, str]] = {
    **{("assign", state): ("assigned", "staff supervisor system") for state in ("accepted", "returned")},
    **{("assign", state): ("assigned", "supervisor") for state in ("assigned", "in_progress")},
    ("start", "assigned"): ("in_progress", "staff supervisor"),
    **{("return", state): ("returned", "staff supervisor") for state in ("assigned", "in_progress")},
    **{("extend", state): (state, "staff supervisor") for state in ("assigned", "in_progress")},
    **{("urge", state): (state, "member") for state in OPEN},
    ("resolve", "in_progress"): ("resolved", "staff supervisor"),
    ("follow_up", "resolved"): ("followed_up", "staff supervisor"),
    ("archive", "followed_up"): ("archived", "staff supervisor system"),
    ("archive", "resolved"): ("archived", "supervisor system"),
    **{("withdraw", state): ("withdrawn", "member") for state in OPEN},
    **{("reopen", state): ("accepted", "member supervisor") for state in ("resolved", "followed_up")},
    **{("rate", state): (state, "member") for state in ("resolved", "followed_up")},
    **{
        ("supplement", state): (state, "member staff supervisor")
        for state in (*OPEN, "resolved", "followed_up")
    },
    **{("note", state.value): (state.value, "staff supervisor system") for state in CaseState},
    **{
        (deed, state): (state, "staff supervisor")
        for deed in ("ask", "press", "amend", "check", "prioritise", "merge")
        for state in OPEN
    },
    **{("supervise", state): (state, "supervisor") for state in OPEN},
    **{
        (deed, state.value): (state.value, "staff supervisor")
        for deed in ("link", "unlink")
        for state in CaseState
    },
}
WHILE_MERGED = {
    **{("note", state.value): EXPECTED["note", state.value] for state in CaseState},
    **{("unmerge", state): (state, "staff supervisor") for state in OPEN},
}
"""All there is for a case that was merged into another."""
CELLS = [(deed, state) for deed in Deed for state in CaseState]


async def actor_for(session: AsyncSession, role: Role, case: Case) -> Actor:
    if role is Role.MEMBER:
        return Actor.member(case.member_id)
    if role is Role.SYSTEM:
        return Actor.system()
    kind = StaffRole.AGENT if role is Role.STAFF else StaffRole.SUPERVISOR
    return Actor.of_staff(await make_staff(session, role=kind))


@pytest.mark.parametrize(("deed", "state"), CELLS)
def test_each_cell_of_the_table_is_as_written_down(deed: Deed, state: CaseState) -> None:
    step = step_for(deed, state)
    expected = (EXPECTED | WHILE_MERGED).get((deed.value, state.value))
    if expected is None:
        assert step is None
    else:
        assert step is not None
        assert (step.to.value, " ".join(sorted(role.value for role in step.who))) == (
            expected[0],
            " ".join(sorted(expected[1].split())),
        )


@pytest.mark.parametrize("merged", [False, True])
async def test_every_deed_in_every_state_does_what_the_table_says(
    database: Database, now: datetime, merged: bool
) -> None:
    """All cells with all roles through ``move`` itself: each is a step that is done, or refused."""
    expected = WHILE_MERGED if merged else EXPECTED
    async with database.transaction() as session:
        into = (await make_case(session)).id if merged else None
        for deed, state in CELLS:
            for role in Role:
                case = await make_case(session, state=state, merged_into_id=into)
                actor = await actor_for(session, role, case)
                cell = expected.get((deed.value, state.value))
                if cell is None:
                    with pytest.raises(TransitionRefused):
                        await move(session, case, deed, actor, reason="理由", now=now)
                elif role.value not in cell[1].split():
                    with pytest.raises(NotAllowed):
                        await move(session, case, deed, actor, reason="理由", now=now)
                else:
                    step = TRANSITIONS[deed, state]
                    event = await move(session, case, deed, actor, reason="理由", now=now)
                    assert (event.from_state, event.to_state) == (state, cell[0])
                    assert case.state.value == cell[0]
                    assert (event.audience is Audience.MEMBER) == (step.told is not None)
                    continue
                assert case.state is state


@pytest.mark.parametrize("merged", [False, True])
async def test_the_buttons_are_exactly_what_would_be_done(
    sqlite_database: Database, now: datetime, merged: bool
) -> None:
    async with sqlite_database.transaction() as session:
        into = (await make_case(session)).id if merged else None
        people = [await make_staff(session, role=role) for role in StaffRole]
        people.append(await make_staff(session, active=False))
        for staff in people:
            for state in CaseState:
                shown = await make_case(session, state=state, merged_into_id=into)
                offered = {choice.deed: choice for choice in deeds_open_to(shown, staff)}
                done = {}
                for deed in Deed:
                    case = await make_case(session, state=state, merged_into_id=into)
                    try:
                        event = await move(session, case, deed, Actor.of_staff(staff), reason="理由", now=now)
                    except (NotAllowed, TransitionRefused):
                        continue
                    done[deed] = event.audience is Audience.MEMBER
                assert {deed: choice.told for deed, choice in offered.items()} == done
                for choice in offered.values():
                    assert choice.reason_owed == TRANSITIONS[choice.deed, state].reason_owed


async def test_buttons_are_for_whoever_works_cases(sqlite_database: Database) -> None:
    async with sqlite_database.transaction() as session:
        case = await make_case(session)
        assert deeds_open_to(case, await make_staff(session)) != []
        assert deeds_open_to(case, await make_staff(session, role=StaffRole.AUDITOR)) == []


async def test_an_auditor_and_a_role_nobody_knows_do_nothing(sqlite_database: Database) -> None:
    async with sqlite_database.transaction() as session:
        auditor = await make_staff(session, role=StaffRole.AUDITOR)
    stranger = Staff(login="x", display_name="x", role="visitor", active=True)
    for person in (auditor, stranger):
        with pytest.raises(NotAllowed):
            Actor.of_staff(person)
        assert deeds_open_to(Case(), person) == []


@pytest.mark.parametrize(("cell", "step"), TRANSITIONS.items())
async def test_a_reason_that_is_owed_must_be_given(
    sqlite_database: Database, now: datetime, cell: tuple[Deed, CaseState | None], step: object
) -> None:
    deed, state = cell
    if state is None:
        return
    found = step_for(deed, state)
    assert found is step
    assert found is not None
    async with sqlite_database.transaction() as session:
        into = (await make_case(session)).id if deed is Deed.UNMERGE else None
        case = await make_case(session, state=state, merged_into_id=into)
        actor = await actor_for(session, sorted(found.who)[0], case)
        if found.reason_owed:
            with pytest.raises(BadInput):
                await move(session, case, deed, actor, reason="  ", now=now)
            assert case.state is state
        else:
            assert (await move(session, case, deed, actor, reason=None, now=now)).text is None


async def test_a_reason_may_not_be_endless(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        case = await make_case(session)
        actor = Actor.of_staff(await make_staff(session))
        with pytest.raises(BadInput):
            await move(session, case, Deed.NOTE, actor, reason="长" * (MAX_REASON + 1), now=now)


async def test_a_deed_leaves_an_event_and_an_audit_entry_without_its_words(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        case = await make_case(session, state=CaseState.IN_PROGRESS)
        staff = await make_staff(session)
        await move(session, case, Deed.RESOLVE, Actor.of_staff(staff), reason="工资已补发", now=now)
        case_id = case.id
    async with database.read() as session:
        event = (await session.scalars(select(CaseEvent).where(CaseEvent.case_id == case_id))).one()
        assert (event.deed, event.author, event.staff_id) == ("resolve", Author.STAFF, staff.id)
        assert (event.from_state, event.to_state, event.text) == ("in_progress", "resolved", "工资已补发")
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.subject_id == case_id))).one()
        assert (entry.actor, entry.deed) == (f"staff:{staff.login}", "case.resolve")
        assert entry.detail == {"before": "in_progress", "after": "resolved"}


async def test_nobody_acts_on_another_members_case(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        case = await make_case(session)
        stranger = await make_member(session)
        with pytest.raises(NotFound):
            await move(session, case, Deed.WITHDRAW, Actor.member(stranger.id), reason=None, now=now)


async def test_a_closed_account_does_nothing_any_more(sqlite_database: Database) -> None:
    async with sqlite_database.transaction() as session:
        staff = await make_staff(session, active=False)
        with pytest.raises(NotAllowed):
            Actor.of_staff(staff)


async def test_an_admin_acts_as_a_supervisor(sqlite_database: Database) -> None:
    async with sqlite_database.transaction() as session:
        admin = await make_staff(session, role=StaffRole.ADMIN)
        assert Actor.of_staff(admin).role is Role.SUPERVISOR


async def test_closing_and_reopening_keep_the_dates_and_counts_right(
    sqlite_database: Database, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        staff = await make_staff(session)
        case = await make_case(session, state=CaseState.IN_PROGRESS, staff_id=staff.id, due_at=now)
        member = Actor.member(case.member_id)
        await move(session, case, Deed.RESOLVE, Actor.of_staff(staff), reason="办完了", now=now)
        assert case.closed_at == now
        later = now + timedelta(days=1)
        await move(session, case, Deed.REOPEN, member, reason="没给钱", now=later)
        assert [case.closed_at, case.staff_id, case.due_at] == [None, None, None]
        assert case.reopened_count == 1
        assert case.updated_at == later
        await move(session, case, Deed.URGE, member, reason=None, now=later)
        assert case.urged_count == 1


async def test_a_case_somebody_else_changed_meanwhile_is_read_anew(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        case = await make_case(session, state=CaseState.ASSIGNED)
    async with database.transaction() as session:
        stale = await session.get_one(Case, case.id)
        session.expunge(stale)
    async with database.transaction() as session:
        fresh = await session.get_one(Case, case.id)
        await move(session, fresh, Deed.WITHDRAW, Actor.member(fresh.member_id), reason=None, now=now)
    async with database.transaction() as session:
        session.add(stale)
        with pytest.raises(TransitionRefused):
            await move(session, stale, Deed.WITHDRAW, Actor.member(stale.member_id), reason=None, now=now)


def test_a_screen_can_ask_what_is_possible() -> None:
    assert possible_deeds(CaseState.WITHDRAWN, Role.MEMBER) == []
    assert set(possible_deeds(CaseState.RESOLVED, Role.MEMBER)) == {
        Deed.REOPEN,
        Deed.RATE,
        Deed.SUPPLEMENT,
    }


def test_everything_the_member_is_told_has_its_words() -> None:
    wording = Wording.load(HOME / "data" / "knowledge")
    told = {step.told for step in TRANSITIONS.values() if step.told is not None}
    for stem in told:
        assert wording.placeholders(f"case_deed.{stem}") <= {"reason"}
        assert wording.placeholders(f"case_page.deed.{stem}") == frozenset()
    by_staff = {
        step.told
        for step in TRANSITIONS.values()
        if step.told is not None and step.who & {Role.STAFF, Role.SUPERVISOR}
    }
    for stem in by_staff:
        assert wording.placeholders(f"case_notice.{stem}") <= {"number", "reason"}
    assert {f"case_state.{state}" for state in CaseState} <= wording.keys


def changes_of_state(source: str) -> list[int]:
    """Lines that give something's ``state``: assignment, setattr, Case(state=…), values(state=…)."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr == "state" and isinstance(node.ctx, ast.Store):
            lines.append(node.lineno)
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("Case", "values") and any(keyword.arg == "state" for keyword in node.keywords):
                lines.append(node.lineno)
            if called == "setattr" and any(
                isinstance(argument, ast.Constant) and argument.value == "state" for argument in node.args
            ):
                lines.append(node.lineno)
    return lines


HAVE_ANOTHER_STATE = {
    "casework/article_versions.py",
    "casework/claims/drafts.py",
    "casework/inbox_labels.py",
    "casework/model_registry.py",
    "casework/reminder_sending.py",
    "casework/reminders.py",
    "casework/suggestions.py",
    "casework/training_jobs.py",
}
"""What they give a state to is no case: an article's version, a group of the inbox, a model, a training …"""


def test_only_move_changes_a_cases_state() -> None:
    found = [
        f"{path.relative_to(HOME)}:{line}"
        for room in ("casework", "actions", "bot")
        for path in sorted((HOME / room).rglob("*.py"))
        for line in changes_of_state(path.read_text(encoding="utf-8"))
    ]
    places = [place.split(":")[0] for place in found]
    assert [place for place in places if place not in HAVE_ANOTHER_STATE] == ["casework/case_life.py"]


@pytest.mark.parametrize(
    "line", ["case.state = 1", "setattr(case, 'state', 1)", "update(Case).values(state=1)", "Case(state=1)"]
)
def test_the_guard_sees_every_way_to_change_it(line: str) -> None:
    assert changes_of_state(line) == [1]
