from __future__ import annotations

import asyncio
import csv
import io
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, event, func, select

from bot.house import House
from casework import case_joining, cases, search, visibility
from casework.case_life import TRANSITIONS, Deed, Role, deeds_open_to
from casework.case_lists import EXPORT_COLUMNS
from casework.case_numbers import format_number
from casework.clock import FixedClock
from casework.tables import (
    Alert,
    AlertKind,
    AuditEntry,
    Author,
    Case,
    CaseState,
    Message,
    Priority,
    Reminder,
    Staff,
    StaffRole,
    Team,
)
from tests.bot.desk.case_people import NAME, PHONE, open_one
from tests.bot.desk.conftest import DeskClient, SignIn
from tests.factories import make_attachment, make_case, make_conversation, make_staff

FOR_STAFF = {
    deed
    for (deed, state), step in TRANSITIONS.items()
    if state is not None and step.who & {Role.STAFF, Role.SUPERVISOR}
}
MUCH_LATER = timedelta(days=200)


def at(case: Case, deed: str = "") -> str:
    return f"/desk/cases/{case.number}" + (f"/{deed}" if deed else "")


async def now_is(house: House, case: Case) -> Case:
    async with house.database.read() as session:
        return await session.get_one(Case, case.id)


def offered(page: str) -> set[str]:
    """The deeds a page has a button for."""
    found = set(re.findall(r'data-case-deed="(\w+)"', page)) - {"unmask"}
    if "/check" in page:
        found.add("check")
    if "/unlink" in page:
        found.add("unlink")
    return found


async def form_for(house: House, deed: Deed, case: Case, staff: Staff) -> dict[str, str]:
    """A form that does the deed where the case's state allows it."""
    forms: dict[Deed, dict[str, str]] = {
        Deed.ASSIGN: {"to": f"staff:{staff.id}", "reason": "他在休假"},
        Deed.EXTEND: {"due_on": "2026-08-03", "reason": "单位要下周才有人"},
        Deed.PRIORITISE: {"priority": "1", "reason": "人多"},
        Deed.AMEND: {"employer": "示例机械厂"},
        Deed.CHECK: {"material": "1", "on": "1"},
    }
    if deed in (Deed.LINK, Deed.UNLINK, Deed.MERGE):
        other = await open_one(house)
        if deed is Deed.UNLINK:
            async with house.database.transaction() as session:
                boss = await make_staff(session, role=StaffRole.SUPERVISOR)
                here = await session.get_one(Case, case.id)
                await case_joining.link(session, here, await session.get_one(Case, other.id), boss,
                                        now=house.clock.now())  # fmt: skip
        return {"other": other.number}
    return forms.get(deed, {"reason": "已联系单位，本周五发"})


@pytest.mark.parametrize("role", [StaffRole.AGENT, StaffRole.SUPERVISOR])
@pytest.mark.parametrize("state", list(CaseState))
async def test_what_the_state_allows_is_shown_and_works_and_nothing_else_is(
    house: House, desk_client: SignIn, state: CaseState, role: StaffRole
) -> None:
    worker = await desk_client(role)
    over = state in (
        CaseState.RESOLVED, CaseState.FOLLOWED_UP, CaseState.ARCHIVED, CaseState.WITHDRAWN,
    )  # fmt: skip
    closed = house.clock.now() if over else None
    case = await open_one(house, state=state, staff_id=worker.staff.id, closed_at=closed)
    allowed = {choice.deed.value for choice in deeds_open_to(case, worker.staff)}
    page = (await worker.page(at(case))).text
    # A link can be taken back where there is one.
    assert offered(page) == allowed - {"unlink"}
    for deed in Deed:
        fresh = await open_one(house, state=state, staff_id=worker.staff.id, closed_at=closed)
        form = await form_for(house, deed, fresh, worker.staff)
        answer = await worker.post(at(fresh, deed.value), data=form)
        if deed.value in allowed:
            assert answer.status_code == 200, (deed, answer.text)
        elif deed not in FOR_STAFF:
            assert answer.status_code == 404, (deed, answer.text)
        else:
            assert answer.status_code in (403, 409), (deed, answer.text)
            step = TRANSITIONS.get((deed, state))
            assert (answer.status_code == 409) == (step is None or deed is Deed.UNMERGE), deed
            assert (await now_is(house, fresh)).state is state


async def test_a_case_merged_into_another_takes_notes_and_can_be_taken_out(
    house: House, desk_client: SignIn
) -> None:
    worker = await desk_client()
    case, into = await open_one(house), await open_one(house)
    await done(worker, at(case, "merge"), other=into.number.lower().replace("-", " "))
    page = (await worker.page(at(case))).text
    assert offered(page) == {"note", "unmerge"}
    assert f'已并入 <a class="code" href="{at(into)}"' in page
    assert "并来的" in (await worker.page(at(into))).text
    refused = await worker.post(at(case, "assign"), data={"to": f"staff:{worker.staff.id}"})
    assert refused.status_code == 409
    again = await worker.post(at(into, "merge"), data={"other": case.number})
    assert (again.status_code, again.json()["error"]["details"]) == (409, [{"reason": "merged_into"}])
    await done(worker, at(case, "unmerge"), reason="不是一件事")
    assert (await now_is(house, case)).merged_into_id is None


async def done(browser: DeskClient, path: str, **form: str) -> dict[str, object]:
    answer = await browser.post(path, data=form)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


async def test_an_appointment_is_told_to_the_member_in_shanghai_time(
    house: House, desk_client: SignIn
) -> None:
    worker = await desk_client()
    case = await open_one(house)
    wrong = await worker.post(at(case, "supplement"), data={"reason": "来吧", "at": "明天上午"})
    assert wrong.status_code == 422
    await done(worker, at(case, "supplement"), reason="带上身份证", at="2026-08-03T09:30")
    async with house.database.read() as session:
        said = list(await session.scalars(select(Message.text).where(Message.author == Author.SYSTEM)))
        planned = list(await session.scalars(select(Reminder.due_at).order_by(Reminder.due_at)))
    assert "2026年8月3日 09:30" in str(said[-1])
    assert [moment.isoformat() for moment in planned] == [
        "2026-08-02T01:30:00+00:00",
        "2026-08-02T23:30:00+00:00",
    ]


async def test_a_case_goes_its_whole_way_and_the_member_hears_of_it(
    house: House, desk_client: SignIn
) -> None:
    worker = await desk_client(badge="07", display_name="李坐席")
    case = await open_one(house)
    await done(worker, at(case, "assign"), to=f"staff:{worker.staff.id}")
    await done(worker, at(case, "start"))
    await done(worker, at(case, "ask"), reason="请发工资条")
    assert "等职工补充，期限暂停" in (await worker.page(at(case))).text or case.due_at is None
    await done(worker, at(case, "extend"), due_on="2026-08-03", reason="等单位回话")
    due = (await now_is(house, case)).due_at
    assert due is not None
    assert due.isoformat() == "2026-08-03T09:30:00+00:00"
    await done(worker, at(case, "supplement"), reason="单位答应周五发")
    await done(worker, at(case, "note"), reason="老板口气松了")
    await done(worker, at(case, "resolve"), reason="工资已补发")
    await done(worker, at(case, "follow_up"), reason="职工说收到了")
    await done(worker, at(case, "archive"))
    assert (await now_is(house, case)).state is CaseState.ARCHIVED
    async with house.database.read() as session:
        said = list(
            await session.scalars(
                select(Message.text)
                .where(Message.conversation_id == case.conversation_id, Message.author == Author.SYSTEM)
                .order_by(Message.id)
            )
        )
    told = "\n".join(text or "" for text in said)
    for words in ("请发工资条", "等单位回话", "单位答应周五发", "工资已补发", "职工说收到了"):
        assert words in told
    assert "口气松了" not in told
    page = (await worker.page(at(case))).text
    internal = re.findall(r'<li id="e\d+" class="happened is-internal.*?</li>', page, re.S)
    assert any("老板口气松了" in event and "李坐席" in event for event in internal)
    assert not any("工资已补发" in event for event in internal)


async def test_a_deed_without_its_reason_or_with_an_impossible_day_is_said_at_its_field(
    house: House, desk_client: SignIn
) -> None:
    worker = await desk_client()
    case = await open_one(house, state=CaseState.IN_PROGRESS, staff_id=worker.staff.id)
    for deed, form, field in (
        ("resolve", {"reason": " "}, "reason"),
        ("extend", {"reason": "等", "due_on": "2026-07-19"}, "due_on"),
        ("extend", {"reason": "等", "due_on": "2026-07-25"}, "due_on"),
        ("extend", {"reason": "等", "due_on": "9999-12-31"}, "due_on"),
        ("extend", {"reason": "等", "due_on": "明天"}, "due_on"),
        ("prioritise", {"reason": "急", "priority": "7"}, "priority"),
        ("prioritise", {"reason": "急", "priority": "2"}, "priority"),
        ("check", {"material": "99", "on": "1"}, "material"),
        ("amend", {"hired_on": "昨天"}, "hired_on"),
        ("amend", {"employer": ""}, "fact"),
        ("link", {"other": case.number}, "other"),
    ):
        answer = await worker.post(at(case, deed), data=form)
        assert answer.status_code == 422, (deed, form, answer.text)
        assert {"field": field} in answer.json()["error"]["details"], (deed, form)
    holiday = await worker.post(at(case, "extend"), data={"reason": "等", "due_on": "2026-07-25"})
    assert "不上班" in holiday.json()["error"]["message"]
    unknown = await worker.post(at(case, "link"), data={"other": "JN-20260720-0001"})
    assert unknown.json()["error"]["details"] == [{"reason": "case_number"}, {"field": "other"}]


async def test_of_two_workers_at_once_the_second_is_told_and_nothing_is_done_twice(
    house: House, desk_client: SignIn
) -> None:
    first = await desk_client(StaffRole.SUPERVISOR)
    second = await desk_client(StaffRole.SUPERVISOR)
    case = await open_one(house, state=CaseState.IN_PROGRESS, staff_id=first.staff.id)
    form = {"seen": "0", "reason": "办好了"}
    answers = await asyncio.gather(
        first.post(at(case, "resolve"), data=form), second.post(at(case, "resolve"), data=form)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["error"]["message"].startswith("别人刚处理过")
    async with house.database.read() as session:
        events = await cases.thread(session, case)
        notices = await session.scalar(
            select(func.count()).where(Message.conversation_id == case.conversation_id)
        )
    assert [event.deed for event in events] == ["resolve"]
    assert notices == 1


async def test_what_was_meant_for_what_the_case_was_before_is_refused_but_a_note_is_not(
    house: House, desk_client: SignIn
) -> None:
    worker, other = await desk_client(), await desk_client()
    case = await open_one(house, state=CaseState.IN_PROGRESS, staff_id=worker.staff.id)
    await done(other, at(case, "note"), reason="先别办")
    stale = await worker.post(at(case, "resolve"), data={"seen": "0", "reason": "办好了"})
    assert (stale.status_code, stale.json()["error"]["details"]) == (409, [{"reason": "stale"}])
    answer = await done(worker, at(case, "note"), seen="0", reason="好的")
    await done(worker, at(case, "resolve"), seen=str(answer["seen"]), reason="办好了")


async def test_a_form_without_script_goes_back_to_the_case_and_an_address_opens_its_dialog(
    house: House, desk_client: SignIn
) -> None:
    worker = await desk_client()
    case = await open_one(house)
    opened = (await worker.page(at(case) + "?do=assign")).text
    assert re.search(r'id="dialog-assign"[^>]* open>', opened)
    plain = await worker.post(
        at(case, "assign"),
        data={"csrf": worker.csrf, "to": f"staff:{worker.staff.id}"},
        headers={"Accept": "text/html"},
    )
    assert (plain.status_code, plain.headers["location"]) == (303, at(case))


async def test_names_and_phones_are_masked_until_a_reason_is_given_and_the_edit_never_holds_a_mask(
    house: House, desk_client: SignIn, clock: FixedClock
) -> None:
    worker, other = await desk_client(), await desk_client()
    case = await open_one(house, state=CaseState.IN_PROGRESS, staff_id=worker.staff.id)
    for path in (at(case), at(case, "parts"), "/desk/cases?tab=all"):
        shown = (await worker.page(path)).text
        assert NAME not in shown, path
        assert PHONE not in shown, path
    masked = (await worker.page(at(case))).text
    assert "赵**" in masked
    assert 'name="phone"' not in masked
    assert 'name="story"' not in masked
    assert 'name="employer"' in masked
    assert (await worker.post(at(case, "unmask"), data={"reason": f"打{PHONE}"})).status_code == 422
    assert (await other.post(at(case, "unmask"), data={"reason": "看看"})).status_code == 403
    await done(worker, at(case, "unmask"), reason="回电核实")
    clear = (await worker.page(at(case))).text
    assert NAME in clear
    assert f'name="phone" value="{PHONE}"' in clear
    assert NAME not in (await other.page(at(case))).text
    assert NAME not in (await worker.page("/desk/cases?tab=all")).text
    clock.advance(visibility.UNMASKED_FOR)
    assert NAME not in (await worker.page(at(case))).text
    async with house.database.read() as session:
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.deed == "unmasked"))).one()
    assert (entry.subject_id, entry.detail["reason"]) == (case.id, "回电核实")


async def test_facts_are_amended_and_what_the_form_left_out_stays(house: House, desk_client: SignIn) -> None:
    worker = await desk_client()
    case = await open_one(house, state=CaseState.IN_PROGRESS, staff_id=worker.staff.id)
    await done(worker, at(case, "amend"), employer="示例机械厂", months_owed="3", seen="0")
    facts = (await now_is(house, case)).facts
    assert facts["phone"] == PHONE
    assert facts["employer"] == "示例机械厂"
    assert "3个月" in (await worker.page(at(case))).text.replace(" ", "")


async def test_a_material_is_ticked_and_unticked(house: House, desk_client: SignIn) -> None:
    worker = await desk_client()
    case = await open_one(house)
    await done(worker, at(case, "check"), material="1", on="1")
    assert (await worker.page(at(case))).text.count('aria-checked="true"') == 1
    await done(worker, at(case, "check"), material="1", on="1")
    await done(worker, at(case, "check"), material="1", on="0")
    assert 'aria-checked="true"' not in (await worker.page(at(case))).text


async def test_cases_are_linked_and_unlinked_and_a_members_others_are_listed(
    house: House, desk_client: SignIn
) -> None:
    worker = await desk_client()
    async with house.database.transaction() as session:
        talk = await make_conversation(session)
    case, sister = await open_one(house, conversation=talk), await open_one(house, conversation=talk)
    other = await open_one(house)
    await done(worker, at(case, "link"), other=other.number)
    page = (await worker.page(at(case))).text
    assert at(other) in page
    assert at(sister) in page.split("这位职工的其他工单")[1]
    assert f'action="{at(case, "unlink")}"' in page
    await done(worker, at(case, "unlink"), other=other.number)
    assert f'action="{at(case, "unlink")}"' not in (await worker.page(at(case))).text
    assert (await worker.post(at(case, "unlink"), data={"other": other.number})).status_code == 404


async def test_files_lead_to_the_conversations_own_route(house: House, desk_client: SignIn) -> None:
    worker, auditor = await desk_client(), await desk_client(StaffRole.AUDITOR)
    async with house.database.transaction() as session:
        talk = await make_conversation(session)
        case = await make_case(session, talk, number="JN-20260720-0100-" + digit(100))
        file = await make_attachment(session, talk, case_id=case.id, filename="工资条13905310531.jpg")
    page = (await worker.page(at(case))).text
    assert f'href="/desk/c/{talk.id}/files/{file.id}"' in page
    assert PHONE not in page
    assert "/files/" not in (await auditor.page(at(case))).text


def digit(serial: int) -> str:
    return format_number(date(2026, 7, 20), serial)[-1]


async def test_an_auditor_reads_masked_and_does_nothing(house: House, desk_client: SignIn) -> None:
    auditor = await desk_client(StaffRole.AUDITOR)
    case = await open_one(house, staff_id=auditor.staff.id, state=CaseState.IN_PROGRESS)
    page = (await auditor.page(at(case))).text
    assert offered(page) == set()
    assert '<dialog class="dialog" id="dialog-' not in page
    assert NAME not in page
    assert PHONE not in page
    assert "您只能查看" in page
    for deed in ("note", "start", "unmask"):
        assert (await auditor.post(at(case, deed), data={"reason": "看看"})).status_code == 403
    assert (await auditor.get("/desk/cases/export.csv")).status_code == 403
    assert "全部未结" in (await auditor.page("/desk/cases")).text


async def test_what_a_member_wrote_is_text_and_not_markup(house: House, desk_client: SignIn) -> None:
    worker = await desk_client()
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    case = await open_one(house, facts={"story": evil, "employer": '"><b id=x>'}, state=CaseState.IN_PROGRESS)
    await done(worker, at(case, "note"), reason=evil)
    async with house.database.transaction() as session:
        await search.index_case(session, await session.get_one(Case, case.id))
    for path in (at(case), at(case, "parts"), "/desk/cases?tab=all", "/desk/search?q=script"):
        page = (await worker.page(path)).text
        assert case.number in page, path
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
        assert "<b id=x>" not in page, path


async def test_the_parts_are_fetched_again_only_when_something_happened(
    house: House, desk_client: SignIn
) -> None:
    worker, other = await desk_client(), await desk_client()
    case = await open_one(house, due_at=house.clock.now() + MUCH_LATER)
    first = await worker.get(at(case, "parts"))
    etag = {"If-None-Match": first.headers["etag"]}
    for part in ("case-head", "case-facts", "case-thread", "case-side", "case-dialogs"):
        assert f'id="{part}"' in first.text
    assert "<html" not in first.text
    assert (await worker.get(at(case, "parts"), headers=etag)).status_code == 304
    await done(other, at(case, "note"), reason="在看")
    moved = await worker.get(at(case, "parts"), headers=etag)
    assert (moved.status_code, "在看" in moved.text) == (200, True)


async def test_no_such_case_and_a_number_that_is_none_are_a_friendly_page(desk_client: SignIn) -> None:
    worker = await desk_client()
    for number in ("JN-20260720-0001-9", "JN-20260720-9999-0", "nonsense"):
        answer = await worker.page(f"/desk/cases/{number}")
        assert answer.status_code == 404, number
        assert "<html" in answer.text
    assert (await worker.post("/desk/cases/nonsense/note", data={"reason": "x"})).status_code == 404


async def test_a_colleague_is_alerted_by_a_mention_and_by_being_given_a_case(
    house: House, desk_client: SignIn
) -> None:
    boss, worker = await desk_client(StaffRole.SUPERVISOR), await desk_client()
    case = await open_one(house)
    await done(boss, at(case, "assign"), to=f"staff:{worker.staff.id}")
    await done(boss, at(case, "note"), reason=f"@{worker.staff.login} 先打个电话")
    async with house.database.read() as session:
        kinds = list(await session.scalars(select(Alert.kind).where(Alert.staff_id == worker.staff.id)))
    assert kinds == [AlertKind.ASSIGNED, AlertKind.MENTION]
    for wrong in ("staff:99999", "team:99999"):
        answer = await boss.post(at(case, "assign"), data={"to": wrong, "reason": "换人"})
        assert answer.status_code == 404, wrong
    assert (await boss.post(at(case, "assign"), data={"to": "someone"})).status_code == 422


# ---- the list


async def test_every_tab_shows_its_own_cases_and_how_many(house: House, desk_client: SignIn) -> None:
    async with house.database.transaction() as session:
        team = Team(name="欠薪组", created_at=house.clock.now())
        session.add(team)
    worker = await desk_client(team_id=team.id)
    now = house.clock.now()
    made = {
        "mine": await open_one(house, staff_id=worker.staff.id, state=CaseState.ASSIGNED),
        "team": await open_one(house, team_id=team.id, state=CaseState.ASSIGNED),
        "unassigned": await open_one(house),
        "overdue": await open_one(house, staff_id=None, team_id=None, due_at=now - timedelta(days=3)),
        "today": await open_one(house, due_at=now + timedelta(hours=2)),
        "closed": await open_one(house, state=CaseState.RESOLVED, closed_at=now),
    }
    expected = {
        "mine": {"mine"},
        "team": {"team"},
        "unassigned": {"unassigned", "overdue", "today"},
        "all": {"mine", "team", "unassigned", "overdue", "today"},
        "overdue": {"overdue"},
        "today": {"today"},
        "closed": {"closed"},
    }
    for tab, names in expected.items():
        page = (await worker.page(f"/desk/cases?tab={tab}")).text
        assert {name for name, case in made.items() if at(case) in page} == names, tab
        if tab != "closed":
            count = re.search(r'aria-current="page">[^<]* <span class="count">(\d+)<', page)
            assert count is not None, tab
            assert int(count[1]) == len(names), tab
    assert at(made["mine"]) in (await worker.page("/desk/cases")).text


async def test_a_row_says_what_is_left_in_working_time(house: House, desk_client: SignIn) -> None:
    worker = await desk_client()
    now = house.clock.now()
    await open_one(house, due_at=now + timedelta(hours=2), state=CaseState.IN_PROGRESS)
    assert "还剩 2 小时" in (await worker.page("/desk/cases?tab=all")).text
    weekend = await open_one(house, due_at=now - timedelta(days=3), priority=0, risks=["injury"])
    page = (await worker.page("/desk/cases?tab=overdue")).text
    # From Friday 09:30 to Monday 09:30 it is one working day, whatever the weekend.
    assert re.search(r"已超 1 个工作日", page)
    assert "▲ 特急" in page
    assert at(weekend) in page
    await open_one(house, due_at=now - MUCH_LATER)
    assert "已超 200 天" in (await worker.page("/desk/cases?tab=overdue")).text


@pytest.mark.parametrize(
    "wish",
    ["state=in_progress", "topic=heat.report", "type=heat_report", "district=章丘区", "priority=0",
     "from=2026-07-21", "to=2026-07-18"],
)  # fmt: skip
async def test_filters_narrow_the_list_and_stay_in_the_form(
    house: House, desk_client: SignIn, wish: str
) -> None:
    worker = await desk_client()
    values = {
        "state": {"state": CaseState.IN_PROGRESS},
        "topic": {"topic": "heat.report"},
        "type": {"case_type": "heat_report"},
        "district": {"district": "章丘区"},
        "priority": {"priority": Priority.CRITICAL.value},
        "from": {"opened_at": house.clock.now() + timedelta(days=1)},
        "to": {"opened_at": house.clock.now() - timedelta(days=2)},
    }[wish.partition("=")[0]]
    other, wanted = await open_one(house), await open_one(house, **values)
    page = (await worker.page(f"/desk/cases?tab=all&{wish}")).text
    assert at(wanted) in page
    assert at(other) not in page
    assert "已筛选" in page


@pytest.mark.parametrize(
    "query", ["tab=nobodys", "state=x", "priority=9", "team=x", "from=x", "cursor=x", "tab=team",
              "from=2026-07-02&to=2026-07-01", "to=9999-12-31"]
)  # fmt: skip
async def test_a_view_that_is_none_is_refused_kindly(desk_client: SignIn, query: str) -> None:
    answer = await (await desk_client()).page(f"/desk/cases?{query}")
    assert answer.status_code == 422
    assert "这一步没办成" in answer.text


async def test_pages_are_turned_forwards_and_back(
    house: House, desk_client: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.desk.cases.PAGE", 3)
    for _ in range(8):
        await open_one(house)
    worker = await desk_client()
    pages = ["/desk/cases?tab=all"]
    seen: list[list[str]] = []
    while True:
        html = (await worker.page(pages[-1])).text
        seen.append(re.findall(r'case-link" href="([^"]+)"', html))
        following = re.search(r'rel="next" href="([^"]+)"', html)
        if following is None:
            break
        pages.append(following[1].replace("&amp;", "&"))
    assert [len(page) for page in seen] == [3, 3, 2]
    assert len({row for page in seen for row in page}) == 8
    back = pages[-1]
    for expected in (seen[1], seen[0]):
        html = (await worker.page(back)).text
        before = re.search(r'rel="prev" href="([^"]+)"', html)
        assert before is not None
        back = before[1].replace("&amp;", "&")
        assert re.findall(r'case-link" href="([^"]+)"', (await worker.page(back)).text) == expected
    assert 'rel="prev"' not in (await worker.page(back)).text


async def test_the_list_costs_the_same_queries_however_many_rows_it_has(
    house: House, desk_client: SignIn, request: pytest.FixtureRequest
) -> None:
    worker = await desk_client()

    asked: list[str] = []

    def note(*given: object) -> None:
        asked.append(str(given[2]))

    event.listen(Engine, "before_cursor_execute", note)
    request.addfinalizer(lambda: event.remove(Engine, "before_cursor_execute", note))

    async def statements() -> int:
        """How many a page takes; what keeps the house now and then asks as well is left out."""
        tries = []
        for _ in range(3):
            asked.clear()
            assert (await worker.page("/desk/cases?tab=all")).status_code == 200
            tries.append(len(asked))
        return min(tries)

    await open_one(house)
    few = await statements()
    assert few > 0
    for _ in range(12):
        await open_one(house)
    assert await statements() == few


async def test_the_file_holds_what_the_filters_say_masked_and_is_audited(
    house: House, desk_client: SignIn
) -> None:
    boss, worker = await desk_client(StaffRole.SUPERVISOR), await desk_client()
    here = await open_one(house, district="章丘区", facts={"story": f"=1+1 电话{PHONE}", "person_name": NAME})
    there = await open_one(house, district="历下区")
    page = (await boss.page("/desk/cases?tab=all&district=章丘区")).text
    link = re.search(r'href="(/desk/cases/export\.csv[^"]*)"', page)
    assert link is not None
    answer = await boss.get(link[1].replace("&amp;", "&"))
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows[0]) == len(EXPORT_COLUMNS)
    assert rows[0][:2] == ["工单号", "类型"]
    assert [row[0] for row in rows[1:]] == [here.number]
    assert rows[1][8].startswith("'=1+1")
    assert there.number not in answer.text
    assert NAME not in answer.text
    assert PHONE not in answer.text
    async with house.database.read() as session:
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.deed == "cases.exported"))).one()
    assert (entry.actor, entry.detail["rows"]) == (f"staff:{boss.staff.login}", 1)
    assert (await worker.get("/desk/cases/export.csv")).status_code == 403
    assert "export.csv" not in (await worker.page("/desk/cases")).text
