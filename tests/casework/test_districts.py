"""Districts: members say them in many ways; only the official name is kept, and a guess is a question."""

from __future__ import annotations

from pathlib import Path

import pytest

from casework.districts import Districts

DISTRICTS = Districts.load(Path(__file__).parents[2] / "data" / "knowledge" / "districts.yml")


def test_jinan_has_ten_districts_and_two_counties() -> None:
    assert len([name for name in DISTRICTS.names if name.endswith("区")]) == 10
    assert [name for name in DISTRICTS.names if name.endswith("县")] == ["平阴县", "商河县"]


@pytest.mark.parametrize(
    ("said", "official"),
    [
        ("历下区", "历下区"),
        ("俺在历下干活", "历下区"),
        ("历夏", "历下区"),
        ("LIXIA", "历下区"),
        ("li cheng 那边", "历城区"),
        ("黎城", "历城区"),
        ("济南市中", "市中区"),
        ("槐阴", "槐荫区"),
        ("章丘市", "章丘区"),
        ("济阳县", "济阳区"),
        ("莱城区", "莱芜区"),
        ("来芜", "莱芜区"),
        ("商河", "商河县"),
        ("平音县", "平阴县"),
    ],
)
def test_a_district_is_known_by_any_of_its_names(said: str, official: str) -> None:
    found = DISTRICTS.named(said)
    assert found is not None
    assert found.name == official


@pytest.mark.parametrize("said", ["泉城路", "高新区", "青岛市南区", "我家附近", ""])
def test_a_street_a_zone_or_another_city_is_no_district(said: str) -> None:
    assert DISTRICTS.named(said) is None


@pytest.mark.parametrize(
    ("said", "candidates"),
    [
        ("我在洪楼上班", ("历城区",)),
        ("cbd", ("历下区",)),
        ("高新区孙村", ("历城区", "历下区", "章丘区")),
        ("莱芜高新区", ("莱芜区",)),
        ("月球", ()),
    ],
)
def test_a_street_or_zone_only_hints_at_districts(said: str, candidates: tuple[str, ...]) -> None:
    assert DISTRICTS.maybe(said) == candidates


def test_every_centre_lies_in_jinan() -> None:
    for district in DISTRICTS:
        assert 36.0 < district.latitude < 37.6
        assert 116.2 < district.longitude < 118.0
