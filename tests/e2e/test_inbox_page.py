"""The inbox in a real browser: decided by keys alone, marked by selecting, and without script at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

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
    """Press a key that goes to another page, once this one listens; wait until that one does."""
    page.wait_for_load_state("load")
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
