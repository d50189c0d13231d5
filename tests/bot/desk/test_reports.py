"""The reports page and its file: the same numbers, for those who may see them, whatever the address says."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from bot.desk import charts
from bot.desk.charts import Series
from bot.desk.report_columns import COLUMNS, csv_line
from bot.house import House
from casework.report_figures import Figures
from casework.tables import Author, CaseState, Channel, Handling, Handoff, StaffRole
from tests.bot.desk.conftest import SignIn
from tests.factories import make_case, make_conversation, make_message, make_staff

AUTHORISED = {StaffRole.SUPERVISOR, StaffRole.ADMIN, StaffRole.AUDITOR}


async def a_morning(house: House) -> None:
    """Two conversations of today: one the bot answered, one handed off and answered after 12 minutes."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        staff = await make_staff(session, display_name="=李坐席", badge="07")
        alone = await make_conversation(session, created_at=now, last_message_at=now, district="历下区")
        asked = await make_message(
            session, alone, created_at=now, topic="labour.wage_arrears", handling=Handling.DONE
        )
        await make_message(session, alone, author=Author.BOT, in_reply_to=asked.id, created_at=now)
        served = await make_conversation(
            session, created_at=now, last_message_at=now, channel=Channel.TELEGRAM
        )
        await make_message(session, served, created_at=now, topic="heat.allowance", handling=Handling.DONE)
        session.add(
            Handoff(
                conversation_id=served.id,
                channel=served.channel,
                reason="member_asked",
                staff_id=staff.id,
                queued_at=now,
                first_reply_at=now + timedelta(minutes=12),
            )
        )
        await make_case(
            session, served, opened_at=now - timedelta(hours=30), closed_at=now, state=CaseState.RESOLVED
        )


def table_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("role", StaffRole)
@pytest.mark.parametrize("path", ["/desk/reports", "/desk/reports.csv"])
async def test_only_who_may_report_sees_reports(desk_client: SignIn, role: StaffRole, path: str) -> None:
    browser = await desk_client(role)
    response = await browser.page(path)
    assert response.status_code == (200 if role in AUTHORISED else 403)


async def test_the_page_and_the_file_show_the_same_numbers(desk_client: SignIn, house: House) -> None:
    await a_morning(house)
    browser = await desk_client(StaffRole.SUPERVISOR)
    for grouping in ("day", "week", "topic", "district", "channel", "worker"):
        page = await browser.page(f"/desk/reports?preset=today&by={grouping}")
        assert page.status_code == 200, grouping
        file = await browser.get(f"/desk/reports.csv?preset=today&by={grouping}")
        header, *lines = table_of(file.text)
        shown = [
            re.findall(r"<td[^>]*>([^<]*)</td>", foot)
            for foot in re.findall(r"<tfoot>.*?</tfoot>", page.text, re.S)
        ]
        figures = len([column for part in COLUMNS.values() for column in part])
        assert [cell for row in shown for cell in row] == lines[-1][1 : 1 + figures]
        assert lines[-1][0] == "合计"
        assert header[1 + figures :] == ["转人工原因：职工要求人工"]
        assert lines[-1][1 + figures :] == ["1"]
    assert dict(zip(header, lines[-1], strict=True)) | {
        "有来信的会话": "2",
        "没用人工": "1",
        "无人工解决率": "50.0%",
        "首次回复中位（分钟）": "12.0",
        "办结用时中位（小时）": "30.0",
        "重开率": "—",
    } == dict(zip(header, lines[-1], strict=True))


async def test_the_file_opens_in_a_spreadsheet_and_runs_nothing_there(
    desk_client: SignIn, house: House
) -> None:
    await a_morning(house)
    browser = await desk_client(StaffRole.SUPERVISOR)
    response = await browser.get("/desk/reports.csv?preset=today&by=worker")
    assert response.content.startswith("\ufeff坐席,".encode())
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == (
        'attachment; filename="report-worker-2026-07-20-2026-07-20.csv"'
    )
    assert "\r\n'=李坐席（07）," in response.text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "＝", " =", "\r"])
def test_no_cell_begins_as_a_formula(start: str) -> None:
    line = csv_line(f'{start}HYPERLINK("x")', "三", 3)
    assert next(csv.reader(io.StringIO(line, newline=""))) == [f'\'{start}HYPERLINK("x")', "三", "3"]


async def test_an_empty_period_says_so_and_divides_by_nothing(desk_client: SignIn) -> None:
    browser = await desk_client(StaffRole.AUDITOR)
    response = await browser.page("/desk/reports?preset=yesterday&by=topic")
    assert response.status_code == 200
    assert "没有数据" in response.text
    assert "<svg" not in response.text.partition("<main")[2]
    assert re.search(r'data-label="无人工解决率">—<', response.text)


@pytest.mark.parametrize(
    "query",
    [
        "preset=custom&start=2026-07-20&end=2026-07-19",
        "preset=custom&start=1900-01-01&end=2026-07-19",
        "preset=custom&start=x&end=y",
        "preset=custom",
        "preset=someday",
        "by=member",
        "channel=fax",
        "district=火星区",
        "topic=%00",
    ],
)
async def test_what_cannot_be_asked_is_said_beside_the_form(desk_client: SignIn, query: str) -> None:
    browser = await desk_client(StaffRole.SUPERVISOR)
    page = await browser.page(f"/desk/reports?{query}")
    assert page.status_code == 422
    assert 'aria-describedby="period-problem"' in page.text
    assert (await browser.get(f"/desk/reports.csv?{query}")).status_code == 422


async def test_a_period_of_ones_own_and_filters_stay_in_every_link(desk_client: SignIn, house: House) -> None:
    await a_morning(house)
    browser = await desk_client(StaffRole.SUPERVISOR)
    query = "preset=custom&start=2026-07-19&end=2026-07-20&by=topic&channel=web&district=历下区"
    page = await browser.page(f"/desk/reports?{query}")
    kept = "preset=custom&amp;by=day&amp;start=2026-07-19&amp;end=2026-07-20&amp;channel=web&amp;district="
    assert kept in page.text
    file = table_of((await browser.get(f"/desk/reports.csv?{query}")).text)
    wages = house.knowledge.articles["labour.wage_arrears"].label
    assert [line[0] for line in file] == ["主题", wages, "没听懂或没有主题", "合计"]


async def test_pages_hold_no_inline_style_or_script(desk_client: SignIn, house: House) -> None:
    await a_morning(house)
    browser = await desk_client(StaffRole.ADMIN)
    for path in ("/desk/reports?preset=today", "/desk/wall", "/desk/audit"):
        text = (await browser.page(path)).text
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)", text), path


# ---- charts


def test_a_chart_says_what_it_shows_in_words_too() -> None:
    drawn = charts.stacked_columns("talks", "会话", "没有数据", ["周一", "周二"], [Series("机器人", [2, 3])])
    assert '<title id="talks-title">会话</title>' in drawn
    assert '<desc id="talks-desc">周一 2；周二 3</desc>' in drawn
    assert drawn.count("<rect") == 2
    assert "style=" not in drawn


def test_what_is_drawn_is_escaped() -> None:
    drawn = charts.bars("x", '<b>"', "没有", [("<script>", 1), ("乙", 0)])
    assert "<script>" not in drawn
    assert "<b>" not in drawn
    assert drawn.count("<rect") == 1


@pytest.mark.parametrize(
    "drawn",
    [
        charts.bars("x", "主题", "没有数据", []),
        charts.bars("x", "主题", "没有数据", [("甲", 0)]),
        charts.lines("x", "主题", "没有数据", ["周一"], [Series("甲", [None])]),
        charts.stacked_columns("x", "主题", "没有数据", [], [Series("甲", [])]),
    ],
)
def test_nothing_to_draw_is_said(drawn: str) -> None:
    assert "没有数据" in drawn
    assert "<svg" not in drawn


def test_a_line_breaks_where_a_value_is_missing() -> None:
    drawn = charts.lines(
        "x",
        "率",
        "没有",
        list("一二三四五"),
        [Series("甲", [0.1, 0.2, None, 0.4, 0.5])],
        shown=charts.percent,
    )
    assert drawn.count("<polyline") == 2
    assert drawn.count("<circle") == 4
    assert "三 甲" not in drawn


@pytest.mark.parametrize(
    ("highest", "whole_only", "expected"),
    [
        (0, False, [0, 1]),
        (1, False, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (3, True, [0, 1, 2, 3]),
        (7, False, [0, 2, 4, 6, 8]),
        (97, True, [0, 20, 40, 60, 80, 100]),
        (1234, False, [0, 250, 500, 750, 1000, 1250]),
    ],
)
def test_an_axis_has_marks_one_can_read(highest: float, whole_only: bool, expected: list[float]) -> None:
    assert charts.nice_ticks(highest, whole_only=whole_only) == expected


def test_every_column_writes_a_line_that_counts_nothing() -> None:
    empty = Figures()
    shown = {column.name: column.shown(empty) for part in COLUMNS.values() for column in part}
    assert {name for name, text in shown.items() if text == "—"} == {
        "deflection", "first_median", "first_p90", "rating_mean", "rating_low", "resolution_median",
        "resolution_p90", "reopened_share", "case_rating_mean", "case_rating_low",
    }  # fmt: skip
    assert all(text == "0" for text in shown.values() if text != "—")
