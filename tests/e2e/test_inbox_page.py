"""The inbox in a real browser: decided by keys alone, marked by selecting, and without script at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.e2e.browser import chromium
from tests.e2e.desk_on_show import OnShow
from tests.e2e.test_desk_pages import listen, settle, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def open_count(page: Page) -> int:
    found = re.search(r"\d+", page.get_by_role("link", name=re.compile("^待处理")).inner_text())
    assert found is not None
    return int(found[0])


def press(page: Page, key: str) -> None:
    """Press a key that goes to another page, once this one takes decisions; wait until that one is there."""
    page.wait_for_load_state("load")
    expect(page.locator("#decide:not([data-ready])")).to_have_count(0)
    with page.expect_navigation():
        page.keyboard.press(key)


def words(page: Page) -> str:
    return page.locator(".ib-words").inner_text()


def test_groups_are_decided_by_keys_alone(browser: Browser, shown: OnShow) -> None:
    found: list[str] = []
    context = sign_in(browser, shown, "light", "desk")
    page = context.new_page()
    listen(page, shown, found)
    settle(page, f"{shown.base_url}/workbench")
    before, first = open_count(page), words(page)
    press(page, "j")
    page.wait_for_url("**group=**")
    second = words(page)
    assert second != first
    press(page, "k")
    expect(page.locator(".ib-words")).to_have_text(first)

    press(page, "j")
    expect(page.locator(".ib-words")).to_have_text(second)
    page.get_by_label("要学的话").press("1")
    assert open_count(page) == before, "a key typed into a field decides nothing"
    page.get_by_label("要学的话").fill(second)
    page.get_by_label("要学的话").press("Escape")
    page.locator("h1").click()
    press(page, "0")
    said = page.get_by_role("status").filter(has_text="定了")
    expect(said).to_contain_text("不归我们管")
    assert open_count(page) == before - 1
    assert words(page) != second, "the next group is open"
    press(page, "u")
    expect(page.get_by_role("status").filter(has_text="撤销了")).to_be_visible()
    assert open_count(page) == before
    expect(page.locator(".ib-words")).to_have_text(second)

    page.wait_for_load_state("load")
    page.keyboard.press("/")
    picker = page.get_by_label("别的意图")
    expect(picker).to_be_focused()
    picker.fill("年休假、病假")
    picker.press("Enter")
    expect(page.get_by_role("status").filter(has_text="定了")).to_be_visible()
    page.wait_for_load_state("load")
    page.keyboard.press("?")
    help_ = page.locator("dialog.help[open]")
    for told in ("找别的意图", "不归我们管", "下一组"):
        expect(help_).to_contain_text(told)
    context.close()
    assert found == []


def test_a_fact_is_marked_by_selecting_and_learnt_with_the_decision(browser: Browser, shown: OnShow) -> None:
    context = sign_in(browser, shown, "dark", "phone")
    page = context.new_page()
    settle(page, f"{shown.base_url}/workbench?topic=heat.allowance")
    box = page.get_by_label("要学的话")
    box.fill("历下区的降温费冬天还能补发不")
    box.evaluate("(field) => { field.focus(); field.setSelectionRange(0, 3); }")
    page.locator("#sentence-marking").get_by_role("button", name="区县").click()
    expect(box).to_have_value("[历下区](district)的降温费冬天还能补发不")
    page.locator("[data-key='1']").click()
    expect(page.get_by_role("status").filter(has_text="定了")).to_be_visible()
    settle(page, f"{shown.base_url}/workbench/examples/ask_heat_allowance?order=new")
    expect(page.locator("main")).to_contain_text("的降温费冬天还能补发不")
    context.close()


@pytest.mark.parametrize("key", ["1", "n", "s"])
def test_a_key_decides_the_group_that_is_open_and_the_next_one_opens(
    browser: Browser, shown: OnShow, key: str
) -> None:
    context = sign_in(browser, shown, "light", "desk")
    page = context.new_page()
    settle(page, f"{shown.base_url}/workbench")
    before, first = open_count(page), words(page)
    said = page.locator(f"#decide [data-key='{key}']").get_attribute("data-label")
    assert said is not None
    press(page, key)
    # A crisis waits for somebody else, and says so instead of what was chosen.
    told = re.compile(f"{re.escape(said.removeprefix('定成：'))}|还要等另一个人")
    expect(page.get_by_role("status").filter(has_text="定了")).to_contain_text(told)
    assert open_count(page) == before - 1
    assert words(page) != first
    press(page, "u")
    expect(page.locator(".ib-words")).to_have_text(first)
    assert open_count(page) == before
    context.close()


def decisions(page: Page) -> list[str]:
    """The addresses decisions are sent to from now on."""
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/decide"):
            sent.append(request.url)

    page.on("request", note)
    return sent


@pytest.mark.parametrize("how", ["at once", "on the next page", "held down"])
def test_a_key_pressed_twice_decides_one_group(browser: Browser, shown: OnShow, how: str) -> None:
    context = sign_in(browser, shown, "light", "desk")
    page = context.new_page()
    settle(page, f"{shown.base_url}/workbench")
    before, first = open_count(page), words(page)
    sent = decisions(page)
    page.wait_for_selector("#decide[data-ready]")
    with page.expect_navigation():
        page.keyboard.down("s")
        if how == "at once":
            page.keyboard.up("s")
            page.keyboard.press("s")
    if how == "held down":
        for _ in range(12):
            page.keyboard.down("s")
            page.wait_for_timeout(60)
        page.keyboard.up("s")
    elif how == "on the next page":
        page.keyboard.up("s")
        page.keyboard.press("s")
    page.wait_for_timeout(400)
    assert len(sent) == 1
    assert open_count(page) == before - 1
    press(page, "u")
    expect(page.locator(".ib-words")).to_have_text(first)
    context.close()


def test_on_a_phone_nothing_of_the_inbox_stands_beside_the_screen(browser: Browser, shown: OnShow) -> None:
    context = sign_in(browser, shown, "light", "phone")
    page = context.new_page()
    for where in ("", "?list=second", "?list=disputed", "?list=settled"):
        settle(page, f"{shown.base_url}/workbench{where}")
        for folded in page.locator("main summary").all():
            folded.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, where
    settle(page, f"{shown.base_url}/workbench")
    page.get_by_label("要学的话").fill("一天到晚" * 60)
    page.get_by_label("要学的话").select_text()
    expect(page.locator("#sentence-marking")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_without_script_the_buttons_decide(browser: Browser, shown: OnShow) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    context.add_cookies([{"name": "niangjia_staff", "value": shown.cookie, "url": shown.base_url}])
    page = context.new_page()
    page.goto(f"{shown.base_url}/workbench")
    page.get_by_role("link", name="下一组").click()
    before = open_count(page)
    page.get_by_role("button", name="跳过").click()
    expect(page.get_by_role("status").filter(has_text="定了")).to_contain_text("跳过")
    assert open_count(page) == before - 1
    context.close()
