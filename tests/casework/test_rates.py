"""Rates: the numbers of the year and place asked about, or a plain refusal; never a neighbour's."""

from __future__ import annotations

import re
import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.articles import Mark
from casework.districts import Districts
from casework.errors import KnowledgeError
from casework.rates import NoRate, Rates

ROOT = Path(__file__).parents[2] / "data" / "knowledge"
RATES = Rates.load(ROOT)
DISTRICTS = Districts.load(ROOT / "districts.yml").names
TODAY = date(2026, 11, 22)
FIRST_TIER = ("历下区", "市中区", "槐荫区", "天桥区", "历城区")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of what the rates are read from, to be spoilt."""
    shutil.copytree(ROOT / "rates", tmp_path / "rates")
    for name in ("districts.yml", "work_calendar.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def change(root: Path, file: str, old: str, new: str) -> Path:
    """The folder, with the first of something in a file written otherwise."""
    path = root / "rates" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return root


# ---- what ships


@pytest.mark.parametrize("district", DISTRICTS)
def test_every_district_has_its_minimum_wage(district: str) -> None:
    expected = ("2400", "24") if district in FIRST_TIER else ("2210", "22")
    row = RATES.find("minimum_wage", TODAY, district=district)
    assert (row.values["monthly"], row.values["hourly"]) == tuple(map(Decimal, expected))
    assert row.mark is Mark.CONFIRM
    assert "鲁政字〔2025〕140号" in row.source


@pytest.mark.parametrize(
    ("basis", "annual"), [("employed", 133232), ("urban_nonprivate", 129222), ("private", 64500)]
)
def test_the_average_wage_of_2023_is_what_2024_is_reckoned_by(basis: str, annual: int) -> None:
    row = RATES.find("average_wage", date(2024, 5, 1), year="2023", basis=basis)
    assert row.values == {"annual": Decimal(annual)}


@pytest.mark.parametrize(
    ("on", "outdoor", "other"),
    [
        (date(2015, 8, 1), 200, 140),
        (date(2018, 12, 31), 200, 140),
        (date(2021, 6, 1), 300, 180),
        (TODAY, 300, 180),
    ],
)
def test_the_heat_fee_is_that_of_its_summer(on: date, outdoor: int, other: int) -> None:
    found = [RATES.find("heat_fee", on, kind=kind).values for kind in ("outdoor", "other")]
    assert [values["monthly"] for values in found] == [outdoor, other]
    assert [(values["first_month"], values["last_month"]) for values in found] == [(6, 9), (6, 9)]


def test_a_death_at_work_in_2025_is_reckoned_by_the_income_of_2024() -> None:
    row = RATES.find("death_benefit", date(2025, 3, 1), year="2024")
    assert row.values["income"] * 20 == 1083760


def test_the_medical_aid_falls_with_the_grade() -> None:
    months = [
        RATES.find("injury_medical_aid", TODAY, grade=str(grade)).values["months"] for grade in range(5, 11)
    ]
    assert months == [22, 18, 13, 10, 7, 4]


def test_family_leave_is_what_the_province_gives() -> None:
    kinds = ("maternity_extra", "paternity", "parental", "marriage", "marriage_checkup")
    found = [RATES.find("family_leave", TODAY, kind=kind).values["days"] for kind in kinds]
    assert found == [60, 15, 10, 15, 3]


def test_every_row_says_where_it_is_from_and_when_it_was_checked() -> None:
    rows = [row for table in RATES.tables for row in RATES.rows(table)]
    assert all(row.source and row.checked_on <= TODAY for row in rows)
    assert rows[0].source_json() == {
        "title": rows[0].source,
        "article": None,
        "as_of": rows[0].checked_on.isoformat(),
    }


def test_what_was_never_verified_is_in_no_file() -> None:
    assert not {row.key["year"] for row in RATES.rows("average_wage")} & {"2024", "2025"}
    assert {row.key["year"] for row in RATES.rows("death_benefit")} == {"2024"}
    assert not any("employment" in table for table in RATES.tables)
    assert 2027 not in RATES.statutory


# ---- no neighbour's number


@pytest.mark.parametrize(
    ("table", "on", "key", "reason"),
    [
        ("minimum_wage", date(2025, 9, 30), {"district": "历下区"}, "not_yet"),
        ("minimum_wage", TODAY, {"district": "青岛市市南区"}, "missing"),
        ("average_wage", date(2025, 1, 1), {"year": "2023", "basis": "employed"}, "expired"),
        ("average_wage", date(2025, 1, 1), {"year": "2024", "basis": "employed"}, "missing"),
        ("heat_fee", date(2015, 7, 31), {"kind": "other"}, "not_yet"),
        ("heat_fee", date(2019, 1, 1), {"kind": "other"}, "missing"),
        ("heat_fee", date(2021, 5, 31), {"kind": "outdoor"}, "missing"),
        ("death_benefit", date(2026, 1, 1), {"year": "2024"}, "expired"),
    ],
)
def test_where_no_row_is_in_force_none_takes_its_place(
    table: str, on: date, key: dict[str, str], reason: str
) -> None:
    with pytest.raises(NoRate) as refused:
        RATES.find(table, on, **key)
    assert (refused.value.table, refused.value.key, refused.value.on) == (table, key, on)
    assert refused.value.reason == reason
    assert (refused.value.last is not None) == (reason == "expired")


def test_an_expired_rate_is_spoken_of_by_its_newest_row() -> None:
    with pytest.raises(NoRate) as refused:
        RATES.find("death_benefit", TODAY, year="2024")
    assert refused.value.last is not None
    assert refused.value.last.valid_to == date(2025, 12, 31)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("minimum_wages", {"district": "历下区"}),
        ("minimum_wage", {}),
        ("minimum_wage", {"area": "历下区"}),
        ("average_wage", {"year": "2023"}),
        ("heat_fee", {"kind": "other", "district": "历下区"}),
    ],
)
def test_a_wrong_table_or_key_field_is_a_programming_error(table: str, key: dict[str, str]) -> None:
    with pytest.raises(KeyError):
        RATES.find(table, TODAY, **key)


@given(
    on=st.dates(date(2005, 1, 1), date(2035, 12, 31)),
    table=st.sampled_from(sorted(RATES.tables)),
    data=st.data(),
)
def test_a_row_that_is_found_is_the_only_one_in_force(on: date, table: str, data: Any) -> None:
    key = data.draw(st.sampled_from([dict(row.key) for row in RATES.rows(table)]))
    in_force = [row for row in RATES.rows(table) if row.key == key and row.in_force(on)]
    try:
        assert [RATES.find(table, on, **key)] == in_force
    except NoRate:
        assert in_force == []


def test_an_open_row_ends_the_day_before_the_next_begins(root: Path) -> None:
    path = root / "rates" / "heat_fee.yml"
    row = (
        "  - {kind: outdoor, monthly: 350, first_month: 6, last_month: 9, valid_from: 2027-06-01,"
        " source: 示例, checked_on: 2027-06-01, mark: V+}\n"
    )
    path.write_text(path.read_text(encoding="utf-8") + row, encoding="utf-8")
    changed = Rates.load(root)
    assert changed.find("heat_fee", date(2027, 5, 31), kind="outdoor").values["monthly"] == 300
    assert changed.find("heat_fee", date(2027, 5, 31), kind="outdoor").valid_to == date(2027, 5, 31)
    assert changed.find("heat_fee", date(2027, 6, 1), kind="outdoor").values["monthly"] == 350
    assert changed.find("heat_fee", date(2027, 6, 1), kind="other").values["monthly"] == 180


# ---- what ends


def test_what_ended_with_nothing_after_it_is_overdue_the_earliest_first() -> None:
    endings = RATES.ending(TODAY)
    assert [(one.row.table, one.on, one.kind) for one in endings] == [
        *[("average_wage", date(2024, 12, 31), "valid_to")] * 3,
        ("death_benefit", date(2025, 12, 31), "valid_to"),
        *[("heat_fee", date(2026, 5, 31), "review_by")] * 2,
    ]
    assert all(one.overdue for one in endings)


@pytest.mark.parametrize(
    ("today", "said", "overdue"),
    [
        (date(2027, 8, 1), True, False),
        (date(2027, 7, 31), False, False),
        (date(2027, 9, 30), True, False),
        (date(2027, 10, 1), True, True),
    ],
)
def test_a_review_is_announced_sixty_days_ahead_and_overdue_the_day_after(
    today: date, said: bool, overdue: bool
) -> None:
    found = [one for one in RATES.ending(today) if one.row.table == "minimum_wage"]
    assert len(found) == (len(DISTRICTS) if said else 0)
    assert all(one.overdue is overdue for one in found)


def test_next_years_row_follows_this_years(root: Path) -> None:
    path = root / "rates" / "death_benefit.yml"
    row = (
        '  - {year: "2025", income: 1, valid_from: 2026-01-01, valid_to: 2026-12-31,'
        " source: 示例, checked_on: 2026-11-22, mark: C}\n"
    )
    path.write_text(path.read_text(encoding="utf-8") + row, encoding="utf-8")
    changed = Rates.load(root)
    assert not [one for one in changed.ending(date(2026, 3, 1)) if one.row.table == "death_benefit"]
    [soon] = [one for one in changed.ending(TODAY) if one.row.table == "death_benefit"]
    assert (soon.on, soon.overdue) == (date(2026, 12, 31), False)


# ---- files that are refused


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("minimum_wage.yml", "    source: 山东", "    sauce: 山东", "source must be a text"),
        ("minimum_wage.yml", "    checked_on: 2026-11-22\n", "", "checked_on must be a date"),
        ("minimum_wage.yml", "    hourly: 24\n", "", "hourly must be a whole number"),
        ("minimum_wage.yml", "hourly: 24\n", "hourly: 24\n    daily: 110\n", "unknown field daily"),
        ("minimum_wage.yml", "monthly: 2400", "monthly: -2400", "not less than 0"),
        ("minimum_wage.yml", "monthly: 2400", "monthly: 2400.5", "a decimal in quotes"),
        ("minimum_wage.yml", "[历下区,", "[历下,", "district cannot be '历下'"),
        ("minimum_wage.yml", "[长清区,", "[历下区,", "rows of 历下区 overlap"),
        ("minimum_wage.yml", "valid_to: null", "valid_to: 2025-09-30", "valid_to is before valid_from"),
        ("minimum_wage.yml", "review_by: 2027", "review_by: 2024", "review_by is no day the row is in force"),
        ("minimum_wage.yml", "district: district", "district: place", "must be district, year, or a list"),
        ("minimum_wage.yml", "mark: V+", "mark: V0", "a mark of the facts file is in the text"),
        ("minimum_wage.yml", "# Each", "# 【V+】Each", "a mark of the facts file is in the text"),
        ("minimum_wage.yml", "mark: V+", "mark: sure", "mark must be one of"),
        ("average_wage.yml", 'year: "2023"', 'year: "23"', "year cannot be '23'"),
        ("average_wage.yml", "basis: private", "basis: public", "basis cannot be 'public'"),
        ("average_wage.yml", "basis: private", "basis: employed", "rows of 2023, employed overlap"),
        ("heat_fee.yml", "valid_to: 2018-12-31", "valid_to: 2021-06-01", "rows of outdoor overlap"),
        ("statutory_holidays.yml", "2026-04-05", "2025-04-05", "is no day of 2026"),
        ("statutory_holidays.yml", "2026-04-05", "2026-05-01", "or there twice"),
        (
            "statutory_holidays.yml",
            "2026-04-05",
            "2026-04-07",
            "has no holiday on 2026-04-07",
        ),
        ("statutory_holidays.yml", "    source: 全国", "    from: 全国", "source must be a text"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_by_name(
    root: Path, file: str, old: str, new: str, complaint: str
) -> None:
    with pytest.raises(KnowledgeError, match=f"rates/{file}.*{complaint}"):
        Rates.load(change(root, file, old, new))


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "rates").glob("*.yml")))
def test_no_file_is_taken_without_its_sources(root: Path, file: str) -> None:
    path = root / "rates" / file
    text = re.sub(r"source: [^,\n]+", "source: ''", path.read_text(encoding="utf-8"), count=1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=f"rates/{file}: .*: source must be a text"):
        Rates.load(root)


# ---- holidays and working days


@pytest.mark.parametrize("year", [2025, 2026])
def test_thirteen_days_of_a_year_are_paid_threefold_as_an_independent_calendar_says(year: int) -> None:
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
    threefold = [day for day in days if RATES.is_statutory_holiday(day)]
    assert len(threefold) == 13
    assert all(RATES.is_statutory_holiday(day) is not None for day in days)
    assert all(chinese_calendar.is_holiday(day) for day in threefold)


def test_the_threefold_days_of_2026_are_those_of_the_notice() -> None:
    assert sorted(RATES.statutory[2026].days) == [
        date(2026, month, day)
        for month, day in (
            (1, 1), (2, 16), (2, 17), (2, 18), (2, 19), (4, 5), (5, 1), (5, 2), (6, 19), (9, 25),
            (10, 1), (10, 2), (10, 3),
        )
    ]  # fmt: skip
    assert RATES.is_statutory_holiday(date(2026, 10, 4)) is False
    assert RATES.is_statutory_holiday(date(2026, 2, 15)) is False


def test_a_year_without_a_table_is_neither_yes_nor_no() -> None:
    assert RATES.is_statutory_holiday(date(2027, 10, 1)) is None
    assert RATES.is_statutory_holiday(date(2024, 10, 1)) is None
    assert RATES.unknown_statutory_year(date(2026, 11, 1)) is None
    assert RATES.unknown_statutory_year(date(2026, 11, 2)) == 2027


@pytest.mark.parametrize(
    ("nominal", "last", "certain"),
    [
        (date(2027, 3, 15), date(2027, 3, 15), False),
        (date(2026, 11, 30), date(2026, 11, 30), True),
        (date(2025, 2, 28), date(2025, 2, 28), True),
        (date(2027, 8, 1), date(2027, 8, 2), False),
        (date(2026, 10, 3), date(2026, 10, 8), True),
        (date(2026, 11, 17), date(2026, 11, 17), True),
        (date(2026, 2, 14), date(2026, 2, 14), True),
        (date(2026, 2, 15), date(2026, 2, 24), True),
        (date(2026, 9, 19), date(2026, 9, 20), True),
        (date(2027, 10, 2), date(2027, 10, 4), False),
    ],
)
def test_a_time_limit_that_ends_on_a_day_of_rest_ends_on_the_next_working_day(
    nominal: date, last: date, certain: bool
) -> None:
    assert RATES.roll_forward(nominal) == (last, certain)


@given(day=st.dates(date(2024, 1, 1), date(2030, 12, 31)))
def test_a_time_limit_is_never_shortened_and_ends_on_a_working_day(day: date) -> None:
    last, certain = RATES.roll_forward(day)
    assert day <= last <= day + timedelta(days=10)
    assert RATES.calendar.is_workday(last)
    assert RATES.roll_forward(last)[0] == last
    assert certain == (day.year in (2025, 2026) and last.year in (2025, 2026))
