"""Case numbers: read over the phone, typed in every way, and never given twice."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from casework.case_numbers import (
    LAST_SERIAL,
    SerialsUsedUp,
    check_digit,
    find_in_text,
    format_number,
    issue_number,
    parse_number,
)
from casework.database import Database
from casework.errors import BadCaseNumber
from casework.tables import CaseSerial

DAY = date(2026, 11, 22)
numbers = st.builds(
    format_number,
    st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)),
    st.integers(min_value=1, max_value=LAST_SERIAL),
)


def digits_of(number: str) -> str:
    return "".join(character for character in number if character.isdigit())


def test_a_number_shows_day_serial_and_check_digit() -> None:
    assert format_number(DAY, 31) == "JN-20261122-0031-" + str(check_digit("202611220031"))


def test_the_check_digit_is_luhns() -> None:
    # The account number of Luhn's own textbook example.
    assert check_digit("7992739871") == 3


@pytest.mark.parametrize("serial", [0, -1, 10_000])
def test_a_serial_outside_the_day_is_no_number(serial: int) -> None:
    with pytest.raises(ValueError, match="a serial is 1 to 9999"):
        format_number(DAY, serial)


@given(numbers)
def test_what_we_write_we_can_read(number: str) -> None:
    assert parse_number(number) == number


@pytest.mark.parametrize(
    "written",
    [
        "JN-20261122-0031-{c}",
        "jn-20261122-0031-{c}",
        "JN202611220031{c}",
        "202611220031{c}",
        "20261122 0031 {c}",
        "ＪＮ－２０２６１１２２－００３１－{c}",
        "  jn 20261122—0031—{c}  ",
        "J N 2026 1122 0031 {c}",
        "工单号：JN-20261122-0031-{c}",
        "jn.20261122.0031.{c}",
    ],
)
def test_hyphens_blanks_case_and_width_do_not_matter(written: str) -> None:
    digit = check_digit("202611220031")
    assert parse_number(written.format(c=digit)) == f"JN-20261122-0031-{digit}"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "JN",
        "你好",
        "JN-20261122-0031",
        "JN-20261122-00310-9",
        "13800001234",
        "1" * 500,
        "JN-2026112二-0031-9",
    ],
)
def test_another_shape_is_refused(written: str) -> None:
    with pytest.raises(BadCaseNumber):
        parse_number(written)


@pytest.mark.parametrize("digits", ["202613220031", "202602300001", "202611220000"])
def test_a_day_or_serial_that_does_not_exist_is_refused(digits: str) -> None:
    with pytest.raises(BadCaseNumber, match="no such day or serial"):
        parse_number(digits + str(check_digit(digits)))


@given(numbers, st.integers(0, 12), st.integers(1, 9))
def test_every_single_wrong_digit_is_noticed(number: str, position: int, change: int) -> None:
    digits = list(digits_of(number))
    digits[position] = str((int(digits[position]) + change) % 10)
    with pytest.raises(BadCaseNumber):
        parse_number("".join(digits))


@given(numbers, st.integers(0, 11))
def test_every_swap_of_neighbours_is_noticed_but_09_and_90(number: str, position: int) -> None:
    digits = list(digits_of(number))
    pair = {digits[position], digits[position + 1]}
    digits[position], digits[position + 1] = digits[position + 1], digits[position]
    swapped = "".join(digits)
    if len(pair) == 1:
        assert parse_number(swapped) == number
    elif pair == {"0", "9"}:
        # Luhn cannot see this one; whether it is refused depends on whether the day exists.
        assert check_digit(swapped[:12]) == int(swapped[12])
    else:
        with pytest.raises(BadCaseNumber):
            parse_number(swapped)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_never_a_crash(text: str) -> None:
    with contextlib.suppress(BadCaseNumber):
        assert parse_number(text).startswith("JN-")


def test_a_number_is_found_inside_a_sentence() -> None:
    number = format_number(DAY, 31)
    assert find_in_text(f"麻烦催一下{number.lower()}，好几天了") == number
    assert find_in_text(f"单号 {digits_of(number)} 到哪了") == number


def test_a_sentence_without_a_number_has_none() -> None:
    assert find_in_text("我2026年11月22日来登记过，电话13800001234") is None


@pytest.mark.parametrize("text", ["查JN-20261122-0031-0", "jn-2026112-31 到哪了", "2026112200310"])
def test_a_number_that_was_meant_but_is_wrong_is_not_passed_over(text: str) -> None:
    with pytest.raises(BadCaseNumber):
        find_in_text(text)


async def test_numbers_of_a_day_count_up_from_one(database: Database) -> None:
    async with database.transaction() as session:
        assert [await issue_number(session, DAY) for _ in range(3)] == [
            format_number(DAY, serial) for serial in (1, 2, 3)
        ]
        assert await issue_number(session, date(2026, 11, 23)) == format_number(date(2026, 11, 23), 1)


async def test_twenty_at_once_get_twenty_different_numbers(database: Database) -> None:
    async def one() -> str:
        async with database.transaction() as session:
            return await issue_number(session, DAY)

    issued = await asyncio.gather(*(one() for _ in range(20)))
    assert sorted(issued) == [format_number(DAY, serial) for serial in range(1, 21)]


async def test_an_undone_transaction_gives_its_number_back(database: Database) -> None:
    async def changing_my_mind() -> None:
        async with database.transaction() as session:
            await issue_number(session, DAY)
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        await changing_my_mind()
    async with database.transaction() as session:
        assert await issue_number(session, DAY) == format_number(DAY, 1)


async def test_the_ten_thousandth_case_of_a_day_is_refused_and_breaks_nothing(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(insert(CaseSerial).values(day=DAY, last=LAST_SERIAL - 1))
        assert await issue_number(session, DAY) == format_number(DAY, LAST_SERIAL)
        with pytest.raises(SerialsUsedUp):
            await issue_number(session, DAY)
        assert await issue_number(session, date(2026, 11, 23)) == format_number(date(2026, 11, 23), 1)
