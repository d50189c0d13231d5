"""Staff in real browsers: they sign in with a one-time password, choose their own, and work by key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.e2e.house import RunningHouse

DESK = {"width": 1280, "height": 800}
ONE_TIME = re.compile(r"one-time password[^:]*: (\S+)")
EXPECTED_COMPLAINTS = ("409 (Conflict)", "403 (Forbidden)")
"""What a browser logs by itself when the server refuses a deed, which the page then says in words."""


@dataclass
class Worker:
    """A member of staff at a browser of their own."""

    house: RunningHouse
    page: Page
    login: str
    complaints: list[str] = field(default_factory=list)
    """What the browser complained about, and requests to anybody but the house."""

    def queue(self, tab: str = "等候") -> None:
        """Open the list of conversations at a tab."""
        self.page.goto(f"{self.house.base_url}/desk")
        if tab != "等候":
            self.page.get_by_role("link", name=re.compile(f"^{tab}")).first.click()

    def opens(self, conversation_id: str) -> None:
        """Click the conversation in the list, when it has appeared there."""
        row = self.page.locator(f'.qrow[data-id="{conversation_id}"]').first
        expect(row).to_be_visible(timeout=15000)
        row.click()
        expect(self.page.locator("#talk-head")).to_be_visible()
        expect(self.page.locator("#live")).to_have_attribute("data-state", "on", timeout=15000)

    def takes_over(self) -> None:
        """The one key."""
        self.page.locator("#scroll").focus()
        self.page.keyboard.press("t")
        expect(self.page.locator("#talk-head")).to_have_attribute("data-standing", "mine", timeout=10000)

    def says(self, text: str) -> None:
        """Type a reply and press Enter; it stays on the page once sent."""
        box = self.page.get_by_label("要说的话")
        box.fill(text)
        box.press("Enter")
        expect(self.turn(text)).to_have_attribute("data-id", re.compile(r"\d+"), timeout=10000)

    def turn(self, text: str) -> Locator:
        """The turn on the page that holds this text."""
        return self.page.locator(".turn", has_text=text).last

    def hears(self, text: str) -> None:
        """The text stands in the transcript without anything being reloaded."""
        expect(self.turn(text)).to_be_visible(timeout=10000)


def hire(
    browser: Browser, house: RunningHouse, login: str, name: str, *options: str, **how: object
) -> Worker:
    """Add a member of staff as an operator does, and sign in as they would the first time."""
    said = house.command("staff", "add", login, name, *options)
    found = ONE_TIME.search(said)
    assert found, said
    once = found.group(1)
    context: BrowserContext = browser.new_context(locale="zh-CN", **{"viewport": DESK, **how})  # type: ignore[arg-type]
    page = context.new_page()
    worker = Worker(house, page, login)
    page.on("pageerror", lambda error: worker.complaints.append(str(error)))
    page.on("console", lambda message: _note(worker, message))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((house.base_url, "blob:", "data:"))
            else worker.complaints.append(f"foreign: {request.url}")
        ),
    )
    page.goto(f"{house.base_url}/desk")
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码").fill(once)
    page.get_by_role("button", name="登录").click()
    password = "泉城的夏天真热 2026"
    page.get_by_label("现在的密码").fill(once)
    page.get_by_label("新密码", exact=True).fill(password)
    page.get_by_label("再输一次新密码").fill(password)
    page.get_by_role("button", name="改好了").click()
    expect(page.locator(".nav")).to_be_visible()
    page.goto(f"{house.base_url}/desk")
    page.get_by_label("我的状态").select_option("online")
    return worker


def _note(worker: Worker, message: ConsoleMessage) -> None:
    if message.type == "error" and not any(known in message.text for known in EXPECTED_COMPLAINTS):
        worker.complaints.append(message.text)
