"""The calculators and the claim sheet in a real browser: readable, by keys alone, without script too."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.e2e.browser import chromium
from tests.e2e.member_pictures import PHONE, fill
from tests.e2e.members_on_show import members_on_show
from tests.e2e.test_desk_pages import violations

pytestmark = pytest.mark.browser

SIZES = {"desk": {"width": 1280, "height": 800}, "phone": PHONE, "small": {"width": 320, "height": 568}}
LOOKS = list(product(("light", "dark"), SIZES))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with members_on_show(tmp_path_factory.mktemp("members")) as address:
        yield address


def looking(browser: Browser, scheme: str = "light", size: str = "phone", **how: object) -> BrowserContext:
    """A browser of this look."""
    return browser.new_context(
        viewport=SIZES[size],  # type: ignore[arg-type]  # a dict of two whole numbers
        color_scheme=scheme,  # type: ignore[arg-type]  # light or dark
        locale="zh-CN",
        **how,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(("scheme", "size"), LOOKS)
def test_every_page_is_accessible_and_fits_its_screen(
    browser: Browser, shown: tuple[str, str], scheme: str, size: str
) -> None:
    base, sheet = shown
    context = looking(browser, scheme, size)
    page = context.new_page()
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda said: found.append(said.text) if "Content Security" in said.text else None)

    def look(name: str) -> None:
        found.extend(f"{name}: {grave}" for grave in violations(page))
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"):
            found.append(f"{name}: scrolls sideways")

    for path in ("/calculators", "/calculators/severance", "/calculators/heat_fee", "/calculators/lottery"):
        page.goto(base + path)
        look(path)
    page.goto(f"{base}/calculators/severance")
    fill(page)
    look("result")
    fill(page, average_wage="八千")
    look("mistake")
    page.goto(base + sheet)
    look("claims")
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    look("claims unfolded")
    page.goto(f"{base}/claims/nothing")
    look("gone")
    context.close()
    assert found == []


def test_the_form_works_without_script_and_goes_to_its_result(
    browser: Browser, shown: tuple[str, str]
) -> None:
    context = looking(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{shown[0]}/calculators/severance")
    fill(page)
    expect(page.locator(".result .amount")).to_contain_text("39,000 元")
    expect(page.locator("#result")).to_be_in_viewport()
    expect(page.locator("[data-print]")).to_be_hidden()
    expect(page.locator("[name=average_wage]")).to_have_value("6000")
    assert page.url == f"{shown[0]}/calculators/severance#result"
    context.close()


def test_the_form_is_filled_and_sent_by_keys(browser: Browser, shown: tuple[str, str]) -> None:
    context = looking(browser, size="desk")
    page = context.new_page()
    page.goto(f"{shown[0]}/calculators/annual_leave_pay")
    page.locator("[name=days]").focus()
    page.keyboard.type("5")
    page.keyboard.press("Tab")
    page.keyboard.type("6525")
    page.keyboard.press("Enter")
    expect(page.locator(".result .amount")).to_contain_text("3,000 元")
    expect(page.locator("[data-print]")).to_be_visible()
    context.close()
