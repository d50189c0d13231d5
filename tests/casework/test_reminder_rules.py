"""Reminder rules: quiet nights to the minute, and words that mean one thing only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from casework.clock import SHANGHAI
from casework.errors import KnowledgeError
from casework.reminder_rules import ReminderRules, ReminderWord
from casework.tables import ReminderKind

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
RULES = ReminderRules.load(KNOWLEDGE)
MOMENTS = st.integers(0, 2 * 365 * 86400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def jinan(day: int, clock: str) -> datetime:
    """A moment of November 2026 in Jinan."""
    return datetime.combine(date(2026, 11, day), time.fromisoformat(clock), SHANGHAI)


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [
        ("20:59:59", False),
        ("21:00:00", True),
        ("23:59:59", True),
        ("00:00:00", True),
        ("07:59:59", True),
        ("08:00:00", False),
        ("12:30:00", False),
    ],
)
def test_nights_are_quiet_to_the_minute(clock: str, quiet: bool) -> None:
    moment = jinan(22, clock)
    assert RULES.is_quiet(moment) is quiet
    assert RULES.is_quiet(moment.astimezone(UTC)) is quiet


@pytest.mark.parametrize(("due", "morning"), [((22, "21:00"), 23), ((22, "23:59"), 23), ((23, "00:01"), 23)])
def test_what_is_due_at_night_goes_in_the_morning_that_follows(due: tuple[int, str], morning: int) -> None:
    goes = RULES.goes_at(jinan(*due), "a:claim:severance")
    assert jinan(morning, "08:00") <= goes < jinan(morning, "08:30")


def test_a_night_quiet_after_midnight_only_is_understood_too() -> None:
    rules = replace(RULES, quiet_from=time(1), quiet_until=time(6))
    assert [rules.is_quiet(jinan(22, clock)) for clock in ("00:59", "01:00", "05:59", "06:00")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert jinan(22, "06:00") <= rules.goes_at(jinan(22, "01:00"), "a") < jinan(22, "06:30")


def test_the_mornings_reminders_do_not_all_go_at_once() -> None:
    minutes = {RULES.goes_at(jinan(22, "22:00"), f"member{n}").minute for n in range(200)}
    assert len(minutes) > 20


@given(MOMENTS, st.text(max_size=30))
def test_nothing_goes_at_night_nor_before_it_is_due_nor_half_a_day_late(moment: datetime, key: str) -> None:
    goes = RULES.goes_at(moment, key)
    assert not RULES.is_quiet(goes)
    assert timedelta(0) <= goes - moment <= timedelta(hours=11, minutes=30)
    assert goes == RULES.goes_at(moment, key)


@given(MOMENTS)
def test_a_reminder_speaks_up_on_the_last_morning_it_helps(useful_until: datetime) -> None:
    speaks = RULES.waits_for_human_until(useful_until)
    assert speaks.astimezone(SHANGHAI).time() == time(8)
    assert timedelta(0) < useful_until - speaks <= timedelta(days=1)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("退订", ReminderWord.STOP),
        ("退订。", ReminderWord.STOP),
        ("“退订”", ReminderWord.STOP),
        (" 退 订 ！！", ReminderWord.STOP),
        ("退订🙏", ReminderWord.STOP),
        ("退訂", ReminderWord.STOP),
        ("停止提醒", ReminderWord.STOP),
        ("别提醒了", ReminderWord.STOP),
        ("取消提醒", ReminderWord.STOP),
        ("TD", ReminderWord.STOP),
        ("ＴＤ", ReminderWord.STOP),
        ("td.", ReminderWord.STOP),
        ("停", ReminderWord.STOP_SOON),
        ("停！", ReminderWord.STOP_SOON),
        ("开启提醒", ReminderWord.BEGIN),
        ("“开启提醒”", ReminderWord.BEGIN),
        ("我想退订单位的保险", None),
        ("退订单位的保险", None),
        ("怎么退订会员", None),
        ("停工停产发多少钱", None),
        ("停薪留职", None),
        ("取消", None),
        ("提醒我一下", None),
        ("单位不让我取消提醒", None),
        ("td是什么意思", None),
        ("", None),
        ("。。。", None),
        ("退订" * 30, None),
        (None, None),
    ],
)
def test_a_word_counts_only_when_it_is_the_whole_message(said: str | None, word: ReminderWord | None) -> None:
    assert RULES.word(said) is word


def test_what_ships_warns_thirty_seven_and_one_days_before() -> None:
    assert RULES.limitation_days_before == (30, 7, 1)
    assert set(RULES.useful_days) == {ReminderKind.SEASON, ReminderKind.PROMISED_REPLY}


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda c: c["quiet"].update({"from": "9 pm"}), 'quiet: from must be a time such as "08:00"'),
        (lambda c: c["quiet"].update(until="21:00"), "from and until must differ"),
        (lambda c: c["quiet"].update(spread_minutes=0), "spread_minutes must be a whole number"),
        (lambda c: c["quiet"].update(extra=1), "unknown field extra"),
        (lambda c: c.update(at="22:00"), "at must not lie in the quiet hours"),
        (lambda c: c.update(limitation_days_before=[7, 30]), "falling whole numbers"),
        (lambda c: c.update(limitation_days_before=[7, 7]), "falling whole numbers"),
        (lambda c: c.update(limitation_days_before=[]), "falling whole numbers"),
        (lambda c: c.update(appointment_hours_before=["2"]), "falling whole numbers"),
        (lambda c: c["useful_days"].pop("season"), "season must be a whole number"),
        (lambda c: c["useful_days"].update(lottery=3), "unknown field lottery"),
        (lambda c: c.update(busy_minutes=True), "busy_minutes must be a whole number"),
        (lambda c: c["words"].update(stop=[]), "stop must have words"),
        (lambda c: c["words"]["stop"].append("退订！"), "listed twice"),
        (lambda c: c["words"]["begin"].append("退订"), "listed twice"),
        (lambda c: c["words"]["begin"].append("！"), "is empty"),
        (lambda c: c.update(colour="red"), "unknown field colour"),
    ],
)
def test_a_file_that_breaks_a_rule_is_named(
    tmp_path: Path, edit: Callable[[dict[str, Any]], object], complaint: str
) -> None:
    content = yaml.safe_load((KNOWLEDGE / "reminders.yml").read_text(encoding="utf-8"))
    edit(content)
    (tmp_path / "reminders.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=rf"reminders\.yml.*{complaint}"):
        ReminderRules.load(tmp_path)
