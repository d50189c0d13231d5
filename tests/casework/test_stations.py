"""Stations: records come in whole or not at all; samples never pass for real; nearest means nearest."""

from __future__ import annotations

import csv
import io
import math
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from casework import stations
from casework.database import Database
from casework.errors import BadInput
from casework.knowledge import Knowledge
from casework.stations import ImportReport, in_jinan
from casework.tables import Station

ROOT = Path(__file__).parents[2] / "data" / "knowledge"
KNOWLEDGE = Knowledge.load(ROOT)
SAMPLE = (ROOT / "stations.sample.csv").read_bytes()
TODAY = date(2026, 11, 22)
HEADER = "编号,名称,类型,区县,地址,电话,开放时间,纬度,经度,是否示例,来源,核对日期"
GOOD = {
    "编号": "lx-01",
    "名称": "历下区法律援助工作站",
    "类型": "法律援助站点",
    "区县": "历下区",
    "地址": "某路 1 号",
    "电话": "12348",
    "开放时间": "工作日 9:00-17:00",
    "纬度": "36.67",
    "经度": "117.08",
    "是否示例": "否",
    "来源": "区司法局公告",
    "核对日期": "2026-11-20",
}


def sheet(*rows: dict[str, str], header: str = HEADER) -> str:
    """A CSV text of good rows with the given cells changed."""
    out = io.StringIO()
    writer = csv.writer(out)
    columns = header.split(",")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([(GOOD | row).get(column, "") for column in columns])
    return out.getvalue()


async def import_into(database: Database, content: bytes | str, today: date = TODAY) -> ImportReport:
    async with database.transaction() as session:
        return await stations.import_stations(session, content, today, KNOWLEDGE)


async def all_codes(database: Database) -> set[str]:
    async with database.read() as session:
        return set(await session.scalars(select(Station.code)))


# ---- importing


async def test_a_good_file_is_imported(database: Database) -> None:
    report = await import_into(database, sheet({}, {"编号": "lx-02", "纬度": "", "经度": ""}))
    assert (report.problems, report.added, report.changed, report.unchanged) == ((), 2, 0, 0)
    async with database.read() as session:
        station = await stations.by_code(session, "lx-01")
        assert station is not None
        assert (station.kind, station.district, station.phone) == ("legal_aid", "历下区", "12348")
        assert (station.latitude, station.longitude, station.is_sample) == (36.67, 117.08, False)
        assert station.checked_on == date(2026, 11, 20)
        bare = await stations.by_code(session, "lx-02")
        assert bare is not None
        assert bare.latitude is None


async def test_importing_again_changes_what_changed_and_keeps_what_is_not_in_the_file(
    database: Database,
) -> None:
    await import_into(database, sheet({}, {"编号": "lx-02"}, {"编号": "lx-03"}))
    report = await import_into(database, sheet({"地址": "新路 2 号"}, {"编号": "lx-02"}))
    assert (report.added, report.changed, report.unchanged) == (0, 1, 1)
    assert await all_codes(database) == {"lx-01", "lx-02", "lx-03"}
    async with database.read() as session:
        station = await stations.by_code(session, "lx-01")
        assert station is not None
        assert station.address == "新路 2 号"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
async def test_what_excel_saves_is_read(sqlite_database: Database, encoding: str) -> None:
    report = await import_into(sqlite_database, sheet({}).encode(encoding))
    assert (report.problems, report.added) == ((), 1)


async def test_the_header_may_be_english_and_in_any_order(sqlite_database: Database) -> None:
    text = (
        "checked_on,source,is_sample,district,kind,name,code\n"
        "2026-11-20,区总工会公告,no,章丘区,service_center,章丘区职工服务中心,zq-1\n"
    )
    report = await import_into(sqlite_database, text)
    assert (report.problems, report.added) == ((), 1)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"编号": ""}, "“编号”不能为空"),
        ({"编号": "历下 1"}, "“编号”只能用字母"),
        ({"名称": ""}, "“名称”不能为空"),
        ({"名称": "长" * 121}, "“名称”超过 120 个字"),
        ({"名称": "=HYPERLINK(1)"}, "“名称”以 =、+、-、@ 开头"),
        ({"地址": "+cmd"}, "“地址”以 =、+、-、@ 开头"),
        ({"电话": "-1"}, "“电话”以 =、+、-、@ 开头"),
        ({"来源": "@SUM(A1)"}, "“来源”以 =、+、-、@ 开头"),
        ({"来源": "＝1+1"}, "“来源”以 =、+、-、@ 开头"),
        ({"来源": ""}, "“来源”不能为空"),
        ({"地址": "某路\u202e1号"}, "“地址”里有看不见的控制字符"),
        ({"地址": "某路\n1号"}, "“地址”里有看不见的控制字符"),
        ({"类型": "茶馆"}, "“类型”只能是：法律援助站点"),
        ({"区县": "历下"}, "“历下”不是济南区县的官方名称"),
        ({"区县": "市南区"}, "“市南区”不是济南区县的官方名称"),
        ({"纬度": "36.67N"}, "“纬度”不是数字"),
        ({"经度": "１１７"}, "“经度”不是数字"),
        ({"经度": ""}, "纬度和经度要么都填"),
        ({"纬度": "117.08", "经度": "36.67"}, "坐标不在济南范围内"),
        ({"纬度": "36.07", "经度": "120.38"}, "坐标不在济南范围内"),
        ({"核对日期": "2026/11/20"}, "“核对日期”要写成"),
        ({"核对日期": "2026-02-30"}, "“核对日期”要写成"),
        ({"核对日期": "2026-11-23"}, "“核对日期”在今天之后"),
        ({"是否示例": "也许"}, "“是否示例”只能填：是 否"),
        ({"是否示例": ""}, "“是否示例”不能为空"),
        ({"是否示例": "是"}, "示例记录的名称必须以“示例”开头"),
        ({"名称": "示例站点"}, "名称以“示例”开头的"),
        ({"名称": "示例站点", "是否示例": "是"}, "示例记录不能填地址和电话"),
    ],
)
async def test_a_bad_line_is_named_with_its_reason_and_nothing_is_imported(
    sqlite_database: Database, cells: dict[str, str], reason: str
) -> None:
    report = await import_into(sqlite_database, sheet({}, {"编号": "bad"} | cells))
    assert [problem.line for problem in report.problems] == [3]
    assert reason in report.problems[0].reason
    assert report.added == 0
    assert await all_codes(sqlite_database) == set()


async def test_every_bad_line_is_reported_not_only_the_first(sqlite_database: Database) -> None:
    report = await import_into(
        sqlite_database, sheet({"编号": "a", "区县": "x"}, {"编号": "b"}, {"编号": "c", "来源": ""})
    )
    assert [problem.line for problem in report.problems] == [2, 4]


async def test_a_line_number_counts_the_lines_of_the_file(sqlite_database: Database) -> None:
    text = sheet({}) + "\n\n" + sheet({"编号": "b", "区县": "x"}).split("\n", 1)[1]
    report = await import_into(sqlite_database, text)
    assert [problem.line for problem in report.problems] == [5]


async def test_a_code_twice_in_a_file_is_refused(sqlite_database: Database) -> None:
    report = await import_into(sqlite_database, sheet({}, {"编号": "lx-02"}, {}))
    assert [(problem.line, problem.reason) for problem in report.problems] == [
        (4, "编号 lx-01 在第 2 行已经有了")
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "没有站点"),
        (HEADER.encode(), "没有站点"),
        (b"\xff\xfe\x00\x00", "不是 UTF-8 也不是 GBK"),
        (sheet({}).encode("utf-16"), "不是 UTF-8 也不是 GBK"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "不是 UTF-8 也不是 GBK"),
        (sheet({}, header=HEADER.replace("来源,", "")), "表头缺少列：来源"),
        (sheet({}, header=HEADER + ",备注"), "表头有不认识的列：备注"),
        (sheet({}, header=HEADER + ",编号"), "表头有重复的列：编号"),
        (HEADER + "\na,b,c\n", "这一行有 3 格，表头有 12 列"),
        (HEADER + '\n"a,b\n', "不是合格的 CSV"),
        (HEADER + "\n" + "x" * 200_000 + "\n", "不是合格的 CSV"),
    ],
)
async def test_a_file_that_is_no_station_file_says_why(
    sqlite_database: Database, content: bytes | str, reason: str
) -> None:
    report = await import_into(sqlite_database, content)
    assert any(reason in problem.reason for problem in report.problems), report.problems
    assert await all_codes(sqlite_database) == set()


async def test_a_file_without_end_is_stopped(sqlite_database: Database) -> None:
    rows = [{"编号": f"s{number}"} for number in range(5001)]
    report = await import_into(sqlite_database, sheet(*rows))
    assert [problem.reason for problem in report.problems] == ["站点太多，一次最多 5000 条"]


# ---- the samples we ship


async def test_the_samples_are_samples_and_cover_every_district_twice(database: Database) -> None:
    report = await import_into(database, SAMPLE)
    assert (report.problems, report.added) == ((), 24)
    async with database.read() as session:
        for district in KNOWLEDGE.districts.names:
            found = await stations.by_district(session, district)
            assert {station.kind for station in found} == {"legal_aid", "service_center"}
            for station in found:
                assert station.is_sample
                assert station.name.startswith("示例")
                assert [station.address, station.phone, station.hours] == [None, None, None]
                assert station.source == "示例数据，不是真实站点"


async def test_real_stations_come_before_samples(sqlite_database: Database) -> None:
    await import_into(sqlite_database, SAMPLE)
    await import_into(sqlite_database, sheet({}))
    async with sqlite_database.read() as session:
        found = await stations.by_district(session, "历下区")
        assert [station.is_sample for station in found] == [False, True, True]
        assert [s.code for s in await stations.by_district(session, "历下区", kind="service_center")] == [
            "sample-service-lixia"
        ]
        assert await stations.by_district(session, "市南区") == []
        assert await stations.count(session) == 25


# ---- finding


async def test_the_nearest_come_first_with_their_distance(database: Database) -> None:
    await import_into(database, SAMPLE)
    async with database.read() as session:
        found = await stations.nearest(session, 36.67, 117.08, 3)
        assert [near.station.district for near in found] == ["历下区", "历下区", "历城区"]
        assert [near.kilometres for near in found] == [0.0, 0.0, 1.4]
        only = await stations.nearest(session, 36.67, 117.08, 2, kind="legal_aid")
        assert [near.station.kind for near in only] == ["legal_aid", "legal_aid"]


async def test_a_station_without_a_position_is_never_the_nearest(sqlite_database: Database) -> None:
    await import_into(sqlite_database, sheet({"纬度": "", "经度": ""}))
    async with sqlite_database.read() as session:
        assert await stations.nearest(session, 36.67, 117.08, 3) == []


@pytest.mark.parametrize("position", [(91.0, 0.0), (0.0, 181.0), (math.nan, 0.0), (0.0, math.inf)])
async def test_an_impossible_position_is_refused(
    sqlite_database: Database, position: tuple[float, float]
) -> None:
    async with sqlite_database.read() as session:
        with pytest.raises(BadInput):
            await stations.nearest(session, *position, 3)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("法律援助工作站", ["lx-01"]),
        ("  历下区 法律援助工作站 ", ["lx-01"]),
        ("我想去历下区法律援助工作站看看", ["lx-01"]),
        ("历下", ["lx-01", "sample-legal-lixia", "sample-service-lixia"]),
        ("站", []),
        ("%", []),
        ("__", []),
        ("月球工作站", []),
    ],
)
async def test_a_station_is_found_by_part_of_its_name(
    sqlite_database: Database, text: str, codes: list[str]
) -> None:
    await import_into(sqlite_database, SAMPLE)
    await import_into(sqlite_database, sheet({}))
    async with sqlite_database.read() as session:
        assert [station.code for station in await stations.by_name(session, text)] == codes


def test_a_known_distance_is_measured_right() -> None:
    # Jinan (36.67, 117.00) to Beijing (39.90, 116.41): about 363 km as the crow flies.
    assert stations.distance_km(36.67, 117.0, 39.9, 116.41) == pytest.approx(363, abs=2)


degrees = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(degrees, degrees)
def test_distance_is_the_same_both_ways_and_never_further_than_round_the_world(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    there, back = stations.distance_km(*one, *other), stations.distance_km(*other, *one)
    assert there == pytest.approx(back, abs=1e-6)
    assert 0 <= there <= math.pi * stations.EARTH_RADIUS_KM + 1e-6
    assert stations.distance_km(*one, *one) == 0


def test_the_box_holds_jinan_and_not_its_neighbours() -> None:
    assert all(in_jinan(district.latitude, district.longitude) for district in KNOWLEDGE.districts)
    assert not in_jinan(36.07, 120.38)  # Qingdao
    assert not in_jinan(39.9, 116.4)  # Beijing
    assert not in_jinan(117.0, 36.67)  # the wrong way round
