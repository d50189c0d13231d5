"""The desk in real Chromium: two workers and a member at once, on the web page and on Telegram."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import chromium
from tests.e2e.desk_people import Worker, hire
from tests.e2e.fake_bot_api import FakeBotApi
from tests.e2e.house import RunningHouse
from tests.e2e.test_telegram import Phone

pytestmark = pytest.mark.browser

NUMBER = re.compile(r"JN-\d{8}-\d{4}-\d")
PHONE = "13805310001"
STORY = f"俺在历下区鑫达机械厂干了三个月，一分工资没发，电话{PHONE}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def li(browser: Browser, house: RunningHouse) -> Worker:
    return hire(browser, house, "desk.li", "李坐席", "--badge", "07")


@pytest.fixture(scope="module")
def wang(browser: Browser, house: RunningHouse) -> Worker:
    return hire(browser, house, "desk.wang", "王坐席", "--badge", "08", "--role", "supervisor")


@pytest.fixture
def member(browser: Browser, house: RunningHouse) -> Iterator[Page]:
    """A member's phone with the web page open."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page = context.new_page()
    page.goto(house.base_url)
    page.get_by_role("button", name="我知道了，开始").click()
    expect(page.locator(".turn.bot .bubble").first).to_contain_text("娘家人")
    yield page
    context.close()


def write(page: Page, text: str) -> None:
    """The member types and sends; whoever answers does so later."""
    box = page.get_by_label("您的话")
    box.fill(text)
    box.press("Enter")
    expect(page.locator(".turn.member .bubble", has_text=text).last).to_be_visible()
    expect(page.locator(".typing")).to_have_count(0, timeout=15000)


def conversation_of(page: Page) -> str:
    """Which conversation the member's page holds."""
    found: str = page.evaluate("JSON.parse(localStorage['niangjia.conversation']).conversation_id")
    return found


def shown(page: Page, text: str) -> None:
    """The member's page shows this without being reloaded."""
    expect(page.locator(".bubble", has_text=text).last).to_be_visible(timeout=15000)


def test_two_workers_and_a_member_from_the_queue_to_the_rating(
    member: Page, li: Worker, wang: Worker
) -> None:
    appears_in_the_queue(member, li, wang)
    li.takes_over()
    shown(member, "工号 07")
    expect(wang.page.locator("#talk-head")).to_have_attribute("data-standing", "colleague", timeout=10000)
    is_talked_over(member, li, wang)
    becomes_a_case(member, li)
    is_passed_on(member, li, wang)
    goes_back_to_the_bot(member, wang)
    assert li.complaints == []
    assert wang.complaints == []


def appears_in_the_queue(member: Page, li: Worker, wang: Worker) -> None:
    """The queue is live: the row appears while the list is open, masked, and both look at it."""
    li.queue()
    wang.queue()
    write(member, STORY)
    write(member, "我要转人工")
    conversation = conversation_of(member)
    expect(li.page.locator(f'.qrow[data-id="{conversation}"]').first).to_be_visible(timeout=15000)
    assert PHONE not in li.page.content()
    li.opens(conversation)
    wang.opens(conversation)
    expect(wang.page.locator("#watching")).to_contain_text("李坐席", timeout=15000)
    brief = li.page.locator("#talk-brief")
    expect(brief).to_contain_text("历下区")
    expect(brief).to_contain_text("3")
    assert PHONE not in li.page.content(), "phones are masked on the server"


def is_talked_over(member: Page, li: Worker, wang: Worker) -> None:
    """Both directions, live; a note among staff stays among staff."""
    li.says("您好，我是李坐席。工资单或者转账记录还有吗？")
    shown(member, "工资单或者转账记录还有吗")
    write(member, "有微信转账截图")
    li.hears("有微信转账截图")
    wang.hears("有微信转账截图")
    wang.page.keyboard.press("n")
    wang.page.get_by_label("要说的话").fill("这家厂上月也有人投诉 @desk.li")
    wang.page.get_by_label("要说的话").press("Enter")
    li.hears("这家厂上月也有人投诉")
    assert "这家厂上月也有人投诉" not in member.content()


def becomes_a_case(member: Page, li: Worker) -> str:
    """A case is opened from the conversation by key; the member is told its number."""
    li.page.locator("#scroll").focus()
    li.page.keyboard.press("c")
    li.page.locator("#dialog-cases").get_by_role("button", name="开工单").click()
    link = li.page.locator("#talk-panel").get_by_role("link", name=NUMBER).first
    expect(link).to_be_visible(timeout=10000)
    number = NUMBER.search(link.inner_text())
    assert number
    shown(member, number[0])
    return number[0]


def is_passed_on(member: Page, li: Worker, wang: Worker) -> None:
    """Transferred with a note; the colleague takes it up where it was."""
    li.page.locator("#scroll").focus()
    li.page.keyboard.press("x")
    dialog = li.page.locator("#dialog-transfer")
    dialog.get_by_label("转给").select_option(label=wang_in(dialog.inner_text()))
    dialog.get_by_label("备注").fill("请班长看一下这家厂")
    dialog.get_by_role("button", name="转交").click()
    expect(li.page.locator("#talk-head")).to_have_attribute("data-owner", "queued", timeout=10000)
    shown(member, "转给另一位同事")
    wang.hears("请班长看一下这家厂")
    wang.takes_over()
    shown(member, "工号 08")
    wang.says("我是王坐席，接着办。")
    shown(member, "我是王坐席，接着办")


def goes_back_to_the_bot(member: Page, wang: Worker) -> None:
    """Handed back with an outcome; the member is asked for a rating, gives it, and the bot goes on."""
    wang.page.locator("#scroll").focus()
    wang.page.keyboard.press("b")
    back = wang.page.locator("#dialog-handback")
    back.get_by_label("结果").select_option(label="已开工单")
    back.get_by_role("button", name="交回").click()
    shown(member, "小助手继续帮您")
    member.locator(".stars button:enabled").last.click()
    shown(member, "谢谢评价")
    write(member, "试用期最长几个月")
    shown(member, "试用期")


def wang_in(options: str) -> str:
    """The line of the list that names 王坐席."""
    return next(line.strip() for line in options.splitlines() if "王坐席" in line)


def test_a_case_is_worked_to_its_end_and_a_bad_rating_opens_it_again(
    member: Page, li: Worker, wang: Worker
) -> None:
    write(member, STORY)
    write(member, "我要转人工")
    li.queue()
    li.opens(conversation_of(member))
    li.takes_over()
    number = becomes_a_case(member, li)
    li.page.locator("#talk-panel").get_by_role("link", name=number).first.click()
    expect(li.page.get_by_role("heading", name=re.compile(number))).to_be_visible()
    deed(li.page, "assign", to="我自己")
    shown(member, "已派给工作人员")
    deed(li.page, "start")
    shown(member, "开始办理了")
    deed(li.page, "resolve", reason="厂方已补发三个月工资，转账凭证已核对")
    shown(member, "厂方已补发三个月工资")
    expect(li.page.locator('[data-case-deed="assign"]')).to_have_count(0)
    member.locator(".stars button:enabled").first.click()
    shown(member, "重新打开")
    li.page.goto(f"{li.house.base_url}/desk/cases/{number}")
    expect(li.page.locator("main")).to_contain_text("重开", timeout=15000)
    wang.page.goto(f"{wang.house.base_url}/desk/alerts")
    expect(wang.page.locator("main")).to_contain_text("不满意")


def deed(page: Page, code: str, *, reason: str = "", to: str = "") -> None:
    """Press a deed's button on the case's page, answer its dialog, and wait until it is done."""
    page.locator(f'[data-case-deed="{code}"]').first.click()
    dialog = page.locator(f"#dialog-{code}[open]")
    if to:
        dialog.locator("select").first.select_option(label=to)
    if reason:
        dialog.locator("textarea").fill(reason)
    if to or reason:
        dialog.locator("button[type=submit]").click()
    expect(dialog).to_have_count(0, timeout=10000)


def test_the_same_with_telegram_as_the_members_channel(
    browser: Browser, model: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with FakeBotApi() as telegram:
        house = RunningHouse.start(
            tmp_path_factory.mktemp("desk-on-telegram"),
            model,
            TELEGRAM_TOKEN=telegram.token,
            TELEGRAM_API_BASE=telegram.base_url,
            NO_PROXY="127.0.0.1",
        )
        worker = hire(browser, house, "zhao", "赵坐席", "--badge", "11")
        phone = Phone(telegram, telegram.member(700_123))
        phone.say("俺在章丘一个工地干了仨月，工头一分钱没给，这咋办")
        heard = phone.say("我要转人工")
        assert "人工" in heard
        worker.queue()
        row = worker.page.locator(".qrow").first
        expect(row).to_contain_text("Telegram", timeout=15000)
        conversation = row.get_attribute("data-id") or ""
        worker.opens(conversation)
        worker.takes_over()
        assert "工号 11" in phone.wait()
        worker.says("您好，工地在章丘哪个街道？")
        assert "工地在章丘哪个街道" in phone.wait()
        expect(worker.turn("工地在章丘哪个街道")).to_contain_text("已送达", timeout=15000)
        phone.member.says("双山街道")
        worker.hears("双山街道")

        # The member blocks the bot: the worker sees that what they say does not arrive.
        phone.member.blocks_silently()
        worker.says("好的，我记下了")
        expect(worker.turn("好的，我记下了")).to_contain_text("屏蔽", timeout=20000)
        phone.member.unblocks()
        phone.member.says("刚才不小心点错了")
        worker.hears("刚才不小心点错了")

        worker.page.locator("#scroll").focus()
        worker.page.keyboard.press("b")
        worker.page.locator("#dialog-handback").get_by_role("button", name="交回").click()
        assert "小助手继续帮您" in phone.wait()
        assert "班长" in phone.press("1 分")
        expect(worker.page.locator("#talk-head")).to_have_attribute(
            "data-standing", "supervisor", timeout=15000
        )
        assert worker.complaints == []
        assert house.stop() == 0, house.logs()
