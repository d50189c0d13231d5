"""Every page of the desk, light and dark, at a desk and on a phone: readable, reachable, and not broken."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from tests.e2e.browser import chromium
from tests.e2e.desk_on_show import MOMENT, OnShow

pytestmark = pytest.mark.browser

SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, Scheme] = ("light", "dark")
LOOKS = list(product(SCHEMES, SIZES))
GRAVE = ("serious", "critical")
EXPECTED = "404 (Not Found)"
"""What the browser logs on the page that shows an error."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def sign_in(
    browser: Browser, shown: OnShow, scheme: str, size: str, *, signed: bool = True
) -> BrowserContext:
    """A browser of this look, signed in as the admin whose desk is shown."""
    context = browser.new_context(
        viewport=SIZES[size],  # type: ignore[arg-type]  # a dict of two whole numbers
        color_scheme=scheme,  # type: ignore[arg-type]  # light or dark
        locale="zh-CN",
        reduced_motion="reduce",
        is_mobile=size == "phone",
    )
    context.clock.set_fixed_time(MOMENT)
    if signed:
        context.add_cookies([{"name": "niangjia_staff", "value": shown.cookie, "url": shown.base_url}])
    return context


def settle(page: Page, address: str) -> int:
    """Open a page and wait until what it fetches is there (event streams never end); its status."""
    answer = page.goto(address, wait_until="load")
    page.wait_for_timeout(250)
    expect(page.locator("[data-fragment]:empty")).to_have_count(0)
    assert answer is not None
    return answer.status


@pytest.mark.parametrize(("size", "schemes"), [("desk", SCHEMES), ("phone", SCHEMES[::-1])])
def test_every_page_is_accessible_and_fits_its_screen(
    browser: Browser, shown: OnShow, size: str, schemes: tuple[Scheme, Scheme]
) -> None:
    found: list[str] = []
    for signed, pages in ((False, shown.open_pages), (True, shown.pages)):
        context = sign_in(browser, shown, schemes[0], size, signed=signed)
        page = context.new_page()
        listen(page, shown, found)
        for name, path in pages.items():
            page.emulate_media(color_scheme=schemes[0])
            status = settle(page, shown.base_url + path)
            if status != (404 if name == "error" else 200):
                found.append(f"{name}: {status}")
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"):
                found.append(f"{name}: scrolls sideways")
            grounds = set()
            for scheme in schemes:
                page.emulate_media(color_scheme=scheme)
                grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
                found += [f"{name}, {scheme}: {grave}" for grave in violations(page)]
            if len(grounds) < 2:
                found.append(f"{name}: as light by night as by day")
        context.close()
    assert found == []


def listen(page: Page, shown: OnShow, found: list[str]) -> None:
    """Note what breaks on a page, and whom it asks for anything."""

    def of_console(message: ConsoleMessage) -> None:
        if message.type == "error" and EXPECTED not in message.text:
            found.append(f"{page.url}: {message.text}")

    def of_request(request: Request) -> None:
        if not request.url.startswith((shown.base_url, "data:", "blob:")):
            found.append(f"{page.url}: asks {request.url}")

    page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))
    page.on("console", of_console)
    page.on("request", of_request)


def violations(page: Page) -> list[str]:
    """What axe-core calls serious or critical, with the first place of each."""
    result = Axe().run(page).response
    return [
        f"{each['id']} ({len(each['nodes'])}×) {each['nodes'][0]['html'][:160]}"
        for each in result["violations"]
        if each["impact"] in GRAVE
    ]


def test_the_accessibility_check_finds_what_is_wrong(browser: Browser, shown: OnShow) -> None:
    context = sign_in(browser, shown, "light", "desk")
    page = context.new_page()
    settle(page, f"{shown.base_url}/desk")
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert any(found.startswith("button-name") for found in violations(page))
    context.close()


def test_the_whole_desk_is_reached_by_keys(browser: Browser, shown: OnShow) -> None:
    context = sign_in(browser, shown, "light", "desk")
    page = context.new_page()
    settle(page, f"{shown.base_url}/desk")
    page.keyboard.press("?")
    help_ = page.locator("dialog.help[open]")
    expect(help_).to_contain_text("接手")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_have_attribute("data-state", "on")
    page.keyboard.press("Control+k")
    palette = page.locator("dialog.palette[open]")
    palette.get_by_role("combobox").fill("报表")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/reports**")
    context.close()
