"""Limits: an allowance is spent, comes back with time, and is one's own."""

from __future__ import annotations

import pytest
from pyrate_limiter import Duration
from starlette.requests import Request

from bot.api.limits import KeyedLimit, address_of


class Time:
    """A clock in milliseconds."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def now(self) -> int:
        """The present."""
        return self.ms


@pytest.fixture
def time() -> Time:
    return Time()


def test_the_whole_allowance_may_be_spent_at_once_and_then_there_is_a_wait(time: Time) -> None:
    limit = KeyedLimit(3, Duration.MINUTE, time.now)
    assert [limit.spend("a") for _ in range(3)] == [0, 0, 0]
    assert limit.spend("a") == 20


def test_a_refused_deed_spends_nothing_and_the_wait_told_is_enough(time: Time) -> None:
    limit = KeyedLimit(3, Duration.MINUTE, time.now)
    for _ in range(3):
        limit.spend("a")
    wait = limit.spend("a")
    assert [limit.spend("a") for _ in range(50)] == [wait] * 50
    time.ms += wait * 1000 - 1
    assert limit.spend("a") == 1
    time.ms += 1
    assert limit.spend("a") == 0


def test_after_the_whole_interval_the_whole_allowance_is_back(time: Time) -> None:
    limit = KeyedLimit(5, Duration.HOUR, time.now)
    for _ in range(9):
        limit.spend("a")
    time.ms += 3_600_000
    assert [limit.spend("a") for _ in range(6)] == [0, 0, 0, 0, 0, 720]


def test_everyone_has_an_allowance_of_their_own(time: Time) -> None:
    limit = KeyedLimit(1, Duration.MINUTE, time.now)
    assert (limit.spend("a"), limit.spend("b")) == (0, 0)
    assert limit.spend("a") > 0


def test_only_so_many_allowances_are_kept_and_the_longest_unused_is_forgotten(time: Time) -> None:
    limit = KeyedLimit(1, Duration.MINUTE, time.now, max_keys=2)
    limit.spend("a")
    limit.spend("b")
    limit.spend("a")
    limit.spend("c")
    assert limit.spend("a") > 0
    assert limit.spend("b") == 0


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        (None, "unknown"),
    ],
)
def test_an_address_stands_for_who_can_choose_it(host: str | None, expected: str) -> None:
    client = (host, 1) if host else None
    assert address_of(Request({"type": "http", "client": client})) == expected
