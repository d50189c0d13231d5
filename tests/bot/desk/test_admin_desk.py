"""Desk settings in the browser: shifts, promises and handoff times take effect, or say what is wrong."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from bot.house import House
from casework.clock import FixedClock
from casework.desk_rules import DeskRules, read_desk_rules
from casework.tables import Priority, StaffRole
from tests.bot.desk.conftest import DeskClient, SignIn

DESK = "/desk/admin/desk"


@pytest.fixture
async def boss(desk_client: SignIn, clock: FixedClock) -> DeskClient:
    """A supervisor, on a Monday at ten."""
    clock.set(datetime.fromisoformat("2026-11-09T10:00:00+08:00"))
    return await desk_client(StaffRole.SUPERVISOR)


async def rules_of(house: House) -> DeskRules:
    async with house.database.read() as session:
        return await read_desk_rules(session, house.desk_rules)


def shifts(**days: list[tuple[str, str]]) -> dict[str, list[str]]:
    """A form: d0=[("08:00", "12:00")] and an empty row for each day."""
    form: dict[str, list[str]] = {}
    for day in range(7):
        rows = [*days.get(f"d{day}", []), ("", "")]
        form[f"opens-{day}"] = [opens for opens, _ in rows]
        form[f"closes-{day}"] = [closes for _, closes in rows]
    return form


def promises(**changed: Any) -> dict[str, Any]:
    form: dict[str, Any] = {"warn_percent": "70"}
    for name in ("critical", "high", "normal"):
        form |= {f"{name}-first_reply_minutes": "20", f"{name}-next_reply_minutes": "25"}
        form |= {f"{name}-resolve_days": "4", f"{name}-counts": "working_time"}
    return form | changed


async def test_the_page_says_in_words_what_the_settings_lead_to(boss: DeskClient) -> None:
    text = (await boss.page(DESK)).text
    assert "✓ 在岗" in text
    assert "12:00" in text
    assert "30 分钟（值班时间内） → 现在转人工" in text
    assert "10:30" in text
    assert "昼夜都算" in text


async def test_other_shifts_take_effect_at_once(boss: DeskClient, house: House) -> None:
    form = shifts(d0=[("13:00", "18:00"), ("8:30", "9：45")], d6=[("20:00", "24:00")])
    answer = await boss.post(f"{DESK}/shifts", data=form)
    assert answer.json()["location"] == f"{DESK}?done=shifts"
    found = (await rules_of(house)).as_setting("shifts")
    assert found["0"] == [["08:30", "09:45"], ["13:00", "18:00"]]
    assert (found["1"], found["6"]) == ([], [["20:00", "24:00"]])
    text = (await boss.page(DESK)).text
    assert "○ 不在岗" in text
    assert "恢复默认" in text


@pytest.mark.parametrize(
    "form",
    [
        shifts(),
        shifts(d0=[("12:00", "08:00")]),
        shifts(d0=[("08:00", "12:00"), ("11:00", "13:00")]),
        shifts(d0=[("早上", "12:00")]),
        shifts(d0=[("08:00", "")]),
        {},
    ],
)
async def test_shifts_that_cannot_be_are_shown_again_with_what_is_wrong(
    boss: DeskClient, house: House, form: dict[str, list[str]]
) -> None:
    before = (await rules_of(house)).as_setting("shifts")
    answer = await boss.post(f"{DESK}/shifts", data=form)
    assert answer.status_code == 422
    assert "值班时段有误" in answer.text
    for typed in form.get("opens-0", []):
        assert f'name="opens-0" value="{typed}"' in answer.text
    assert (await rules_of(house)).as_setting("shifts") == before


async def test_other_promises_take_effect_at_once(boss: DeskClient, house: House) -> None:
    await boss.post(f"{DESK}/promises", data=promises(**{"critical-counts": "around_the_clock"}))
    rules = await rules_of(house)
    assert rules.minutes("first_reply", Priority.NORMAL) == 20
    assert rules.counts_clock("first_reply", Priority.CRITICAL)
    assert not rules.counts_clock("first_reply", Priority.HIGH)
    assert rules.warn_share == 0.7


@pytest.mark.parametrize(
    "wrong",
    [
        {"normal-first_reply_minutes": "0"},
        {"normal-first_reply_minutes": "很快"},
        {"normal-resolve_days": "9999999999"},
        {"warn_percent": "100"},
        {"normal-counts": "sometimes"},
    ],
)
async def test_a_promise_that_cannot_be_is_refused_in_words(
    boss: DeskClient, house: House, wrong: dict[str, str]
) -> None:
    answer = await boss.post(f"{DESK}/promises", data=promises(**wrong))
    assert (answer.status_code, "承诺时限有误" in answer.text) == (422, True)
    assert (await rules_of(house)).minutes("first_reply", Priority.NORMAL) == 30


async def test_handoff_times_change_and_the_outcomes_stay_what_ships(boss: DeskClient, house: House) -> None:
    held = (await rules_of(house)).as_setting("handoff")
    form = {name: str(value) for name, value in held.items() if name != "outcomes"}
    await boss.post(f"{DESK}/handoff", data=form | {"wrap_up_minutes": "9", "outcomes": "x"})
    found = (await rules_of(house)).handoff
    assert found.wrap_up_minutes == 9
    assert dict(found.outcomes) == held["outcomes"]
    refused = await boss.post(f"{DESK}/handoff", data=form | {"wrap_up_minutes": ""})
    assert (refused.status_code, "转人工的规则有误" in refused.text) == (422, True)


async def test_every_handoff_time_there_is_can_be_set(boss: DeskClient, house: House) -> None:
    text = (await boss.page(DESK)).text
    for name, value in (await rules_of(house)).as_setting("handoff").items():
        if name != "outcomes":
            assert f'name="{name}" min="1" required value="{value}"' in text


async def test_what_was_changed_goes_back_to_what_ships(boss: DeskClient, house: House) -> None:
    await boss.post(f"{DESK}/promises", data=promises())
    answer = await boss.post(f"{DESK}/promises/reset")
    assert answer.json()["location"] == f"{DESK}?done=reset"
    assert (await rules_of(house)).as_setting("promises") == house.desk_rules.as_setting("promises")
    assert "恢复默认" not in (await boss.page(DESK)).text


async def test_there_is_no_other_setting(boss: DeskClient) -> None:
    assert (await boss.post(f"{DESK}/wages", data={})).status_code == 404
    assert (await boss.post(f"{DESK}/wages/reset")).status_code == 404


async def test_the_calendar_shows_holidays_and_worked_weekends(boss: DeskClient) -> None:
    text = (await boss.page(f"{DESK}?year=2026")).text
    assert text.count('<table class="cal">') == 12
    assert 'title="国庆节放假">1<sup>休</sup>' in text
    assert 'title="调休上班">10<sup>班</sup>' in text
    assert "10 月 1 日 到 10 月 7 日：国庆节放假" in text
    assert "10 月 10 日：调休上班" in text
    assert "国办发明电" in text


async def test_a_year_without_a_notice_is_marked_as_unknown(boss: DeskClient) -> None:
    text = (await boss.page(f"{DESK}?year=2027")).text
    assert "2027 年的放假调休通知没有录入" in text
    assert 'title="国庆节放假">3<sup>休</sup>' in text
    assert 'title="调休上班"' not in text
    assert (await boss.page(f"{DESK}?year=99999")).status_code == 422
