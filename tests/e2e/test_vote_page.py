"""Whether an answer helped, on the members' page in a real browser: by touch and by keys, light and dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.browser import chromium
from tests.e2e.members_on_show import members_on_show
from tests.e2e.test_desk_pages import violations
from tests.e2e.test_member_pages import looking

pytestmark = pytest.mark.browser

TOUCH_PX = 44


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with members_on_show(tmp_path_factory.mktemp("members")) as (base, _):
        yield base


def ask(page: Page, base: str) -> Locator:
    """Ask something; the row that asks back whether the answer helped."""
    page.goto(base)
    page.click("#agree")
    expect(page.locator(".turn.bot .bubble:not(.typing)")).to_have_count(1)
    page.fill("#text", "老板三个月没发工资了")
    page.click("#send")
    row = page.get_by_role("group", name="这条回答帮上您了吗")
    expect(row).to_have_count(1)
    return row


@pytest.mark.parametrize(("scheme", "size"), [("light", "phone"), ("dark", "phone"), ("light", "small")])
def test_a_member_says_that_an_answer_helped_or_did_not(
    browser: Browser, base: str, scheme: str, size: str
) -> None:
    context = looking(browser, scheme, size)
    page = context.new_page()
    row = ask(page, base)
    good, bad = row.get_by_role("button", name="有帮助"), row.get_by_role("button", name="没帮上")
    for button in (good, bad):
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= TOUCH_PX
        expect(button).to_have_attribute("aria-pressed", "false")
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".vote-next")).to_have_count(0)
    bad.focus()
    page.keyboard.press("Enter")
    expect(bad).to_have_attribute("aria-pressed", "true")
    expect(good).to_have_attribute("aria-pressed", "false")
    line = page.locator(".vote-next")
    expect(line).to_contain_text("换个说法")
    expect(line).to_be_in_viewport()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.reload()
    expect(bad).to_have_attribute("aria-pressed", "true")
    bad.click()
    expect(bad).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(bad).to_have_attribute("aria-pressed", "false")
    context.close()


def test_who_was_not_helped_gets_to_a_human_with_one_press(browser: Browser, base: str) -> None:
    context = looking(browser)
    page = context.new_page()
    row = ask(page, base)
    row.get_by_role("button", name="没帮上").click()
    page.locator(".vote-next").get_by_role("button", name="找人工").click()
    expect(page.locator(".turn.member .bubble").last).to_have_text("找人工")
    expect(page.locator(".vote-next")).to_have_count(0)
    context.close()


def test_a_vote_that_was_not_kept_is_not_shown_as_kept(browser: Browser, base: str) -> None:
    context = looking(browser)
    page = context.new_page()
    row = ask(page, base)
    context.set_offline(True)
    row.get_by_role("button", name="有帮助").click()
    expect(page.locator(".vote-next")).to_contain_text("没记上")
    expect(row.get_by_role("button", name="有帮助")).to_have_attribute("aria-pressed", "false")
    context.close()


def test_nobody_is_asked_about_a_greeting(browser: Browser, base: str) -> None:
    context = looking(browser)
    page = context.new_page()
    row = ask(page, base)
    expect(page.locator(".turn.bot .bubble:not(.typing)")).to_have_count(2)
    expect(row).to_have_count(1)
    context.close()
