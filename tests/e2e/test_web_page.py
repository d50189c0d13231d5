"""The members' web page in a real Chromium, against the running house."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.browser import chromium
from tests.e2e.house import RunningHouse

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
NUMBER = re.compile(r"JN-\d{8}-\d{4}-\d")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport=PHONE,
        locale="zh-CN",
        geolocation={"latitude": 36.68, "longitude": 117.03},
        permissions=["geolocation"],
    )
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, house: RunningHouse) -> Page:
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    foreign: list[str] = []
    page.on("request", lambda request: foreign.append(request.url) if not _ours(request.url, house) else None)
    page.goto(house.base_url)
    page.get_by_role("button", name="我知道了，开始").click()
    expect(page.locator(".turn.bot .bubble").first).to_contain_text("娘家人")
    page.errors = errors  # type: ignore[attr-defined]  # read by the tests below
    page.foreign = foreign  # type: ignore[attr-defined]  # read by the tests below
    return page


def _ours(url: str, house: RunningHouse) -> bool:
    return url.startswith((house.base_url, "blob:", "data:"))


def say(page: Page, text: str) -> None:
    before = page.locator(".turn.bot").count()
    box = page.get_by_label("您的话")
    box.fill(text)
    box.press("Enter")
    expect(page.locator(".typing")).to_have_count(0, timeout=15000)
    expect(page.locator(".turn.bot")).not_to_have_count(before)


def test_a_story_becomes_a_case_by_touch_alone(page: Page, tmp_path: Path) -> None:
    say(page, "在历下区鑫达机械厂干了三个月，一分工资没发")
    expect(page.locator(".turn.bot").last).to_be_visible()
    page.get_by_role("button", name="开工单，请工会跟进").click()
    for _ in range(12):
        expect(page.locator(".typing")).to_have_count(0, timeout=15000)
        live = page.locator(".choices button:enabled")
        expect(live.first).to_be_visible()
        titles = live.all_inner_texts()
        if "提交" in titles:
            break
        page.get_by_role("button", name="跳过", disabled=False).last.click()
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text(NUMBER).first).to_be_visible(timeout=15000)
    assert not page.errors  # type: ignore[attr-defined]  # set by the fixture
    assert not page.foreign, "the page asks nobody else for anything"  # type: ignore[attr-defined]  # as above


def test_history_is_there_after_a_reload(page: Page) -> None:
    say(page, "试用期最长几个月")
    answer = page.locator(".turn.bot .bubble").last.inner_text()
    page.reload()
    expect(page.locator(".turn.member .bubble").last).to_have_text("试用期最长几个月")
    expect(page.locator(".turn.bot .bubble").last).to_have_text(answer)


def test_a_humans_reply_arrives_live(page: Page, house: RunningHouse) -> None:
    say(page, "我要转人工")
    expect(page.locator("#status")).to_contain_text("人工")
    conversation = page.evaluate("JSON.parse(localStorage['niangjia.conversation']).conversation_id")
    if not any(line.startswith("li\t") for line in house.command("staff", "list").splitlines()):
        house.command("staff", "add", "li", "李坐席")
    house.command("staff", "reply", conversation, "您好，我在看您的情况", "--as", "li")
    expect(page.locator(".turn.staff .bubble")).to_have_text("您好，我在看您的情况", timeout=10000)
    house.command("staff", "handback", conversation, "--as", "li")
    expect(page.locator(".turn.system .bubble").last).to_be_visible(timeout=10000)


def test_my_location_finds_the_nearest_stations(page: Page) -> None:
    page.get_by_role("button", name="发送我的位置").click()
    expect(page.get_by_text("公里").first).to_be_visible(timeout=15000)
    expect(page.get_by_text("示例").first).to_be_visible()


def test_a_photo_is_sent_and_a_wrong_file_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    photo = tmp_path / "工资条.png"
    photo.write_bytes(tiny_png())
    page.locator("#file").set_input_files(photo)
    expect(page.locator("#files .file")).to_contain_text("工资条.png")
    page.get_by_role("button", name="发送", exact=True).click()
    expect(page.locator(".turn.member .attached img")).to_be_visible(timeout=15000)
    program = tmp_path / "virus.png"
    program.write_bytes(b"MZ" + bytes(400))
    page.locator("#file").set_input_files(program)
    expect(page.locator("#notice")).to_be_visible()
    expect(page.locator("#files .file")).to_have_count(0)


def test_html_is_shown_as_text(page: Page) -> None:
    say(page, "<img src=x onerror=alert(1)><b>拖欠工资</b>")
    expect(page.locator(".turn.member .bubble").last).to_have_text(
        "<img src=x onerror=alert(1)><b>拖欠工资</b>"
    )
    assert page.locator(".turn.member img").count() == 0


def test_everything_works_by_keyboard_and_large_text_fits(page: Page) -> None:
    page.get_by_label("您的话").focus()
    page.keyboard.type("高温费多少钱一个月")
    page.keyboard.press("Enter")
    expect(page.locator(".turn.bot .bubble").last).to_contain_text("300", timeout=15000)
    page.get_by_role("button", name="大字").focus()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_class("large")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "no sideways scrolling"
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, textarea')].filter(e => !e.hidden && !e.closest('dialog') && "
        "!(e.innerText || e.getAttribute('aria-label') || e.labels?.length)).length"
    )
    assert unnamed == 0, "every control has a name a screen reader can say"


def test_without_network_the_message_stays_and_can_be_sent_again(page: Page, context: BrowserContext) -> None:
    context.set_offline(True)
    box = page.get_by_label("您的话")
    box.fill("公司不给交社保怎么办")
    box.press("Enter")
    again = page.get_by_role("button", name="重新发送")
    expect(again).to_be_visible()
    context.set_offline(False)
    again.click()
    expect(page.locator(".turn.bot .bubble").last).to_contain_text("社保", timeout=15000)
    assert page.locator(".turn.member .bubble", has_text="公司不给交社保怎么办").count() == 1


def test_dark_mode_follows_the_system(browser: Browser, house: RunningHouse) -> None:
    context = browser.new_context(color_scheme="dark", viewport=PHONE)
    page = context.new_page()
    page.goto(house.base_url)
    red, green, blue = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    )
    assert max(red, green, blue) < 60
    context.close()


def tiny_png() -> bytes:
    """A real picture of 8 × 8 red pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\xb3\x26\x1e" * 8 for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
