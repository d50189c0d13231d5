"""The training sentences in a real browser: marking a fact by selecting it, and pages anybody can use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import chromium
from tests.e2e.desk_on_show import OnShow
from tests.e2e.test_desk_pages import listen, settle, sign_in, violations

pytestmark = pytest.mark.browser

ARREARS = "/workbench/examples/ask_wage_arrears"
TEXT = "历下区一个示例工地欠了俩月没给呀"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def select(page: Page, words: str) -> None:
    """Select words in the box for a new sentence, as dragging over them does."""
    page.locator("#new-text").evaluate(
        """(field, words) => {
            const start = field.value.indexOf(words);
            field.focus();
            field.setSelectionRange(start, start + words.length);
        }""",
        words,
    )


def test_a_fact_is_marked_by_selecting_it(browser: Browser, shown: OnShow) -> None:
    found: list[str] = []
    context = sign_in(browser, shown, "light", "desk")
    page = context.new_page()
    listen(page, shown, found)
    settle(page, shown.base_url + ARREARS)
    box, menu = page.locator("#new-text"), page.locator("#new-text-marking")
    box.fill(TEXT)
    expect(menu).to_be_hidden()
    select(page, "历下区")
    menu.get_by_role("button", name="区县").click()
    expect(box).to_have_value(TEXT.replace("历下区", "[历下区](district)"))
    expect(menu).to_be_hidden()

    # By keys: Shift and arrows select, Tab goes to the menu, arrows and Enter choose.
    box.press("End")
    for _ in "月没给呀":
        box.press("ArrowLeft")
    box.press("Shift+ArrowLeft")
    page.keyboard.press("Tab")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    expect(menu.get_by_role("button", name="欠了几个月")).to_be_focused()
    page.keyboard.press("Enter")
    expect(box).to_have_value("[历下区](district)一个示例工地欠了[俩](months_owed)月没给呀")

    # A mark that is selected again is replaced whole, or taken out.
    select(page, "下区](dis")
    menu.get_by_role("button", name="单位").click()
    expect(box).to_have_value("[历下区](employer)一个示例工地欠了[俩](months_owed)月没给呀")
    select(page, "历下")
    menu.get_by_role("button", name="去掉标记").click()
    expect(box).to_have_value("历下区一个示例工地欠了[俩](months_owed)月没给呀")
    box.press("Control+z")
    expect(box).to_have_value("[历下区](employer)一个示例工地欠了[俩](months_owed)月没给呀")
    select(page, "历下")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(box).to_be_focused()

    box.press("Enter")
    expect(page.get_by_role("status").filter(has_text="加上了")).to_be_visible()
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_role("status").filter(has_text="撤销了。")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="一个示例工地欠了")
    expect(row.get_by_role("button", name="重做第")).to_have_count(1)
    assert found == []
    context.close()


@pytest.mark.parametrize(("scheme", "size"), [("light", "desk"), ("dark", "phone")])
def test_the_pages_are_accessible_and_fit_their_screen(
    browser: Browser, shown: OnShow, scheme: str, size: str
) -> None:
    found: list[str] = []
    context = sign_in(browser, shown, scheme, size)
    page = context.new_page()
    listen(page, shown, found)
    for path in ("/workbench/examples", ARREARS, "/workbench/examples/history", "/workbench/examples/import"):
        assert settle(page, shown.base_url + path) == 200
        if path == ARREARS:
            page.locator("#new-text").fill(TEXT)
            select(page, "历下区")
            expect(page.locator("#new-text-marking")).to_be_visible()
        found += [f"{path}: {grave}" for grave in violations(page)]
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"):
            found.append(f"{path}: scrolls sideways")
    context.close()
    assert found == []
