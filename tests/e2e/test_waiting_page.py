"""The member's page while a human is called, comes, types, writes up and asks how it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import chromium
from tests.e2e.desk_on_show import OnShow, desk_on_show
from tests.e2e.test_desk_pages import settle, sign_in, violations

pytestmark = pytest.mark.browser

POST = """async ([path, fields]) => (await fetch(path, {
  method: "POST", body: new URLSearchParams(fields),
  headers: {"X-CSRF-Token": document.querySelector("meta[name=csrf]").content, Accept: "application/json"},
})).status"""
"""A deed of the worker whose desk is open on a page."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnShow]:
    with desk_on_show(tmp_path_factory.mktemp("waiting")) as desk:
        yield desk


@pytest.mark.parametrize(("scheme", "size"), [("light", "phone"), ("dark", "desk")])
def test_a_member_sees_their_place_who_came_that_they_type_and_rates_with_stars(
    browser: Browser, shown: OnShow, scheme: str, size: str
) -> None:
    worker = sign_in(browser, shown, "light", "desk").new_page()
    settle(worker, f"{shown.base_url}/desk/profile")
    member = sign_in(browser, shown, scheme, size, signed=False).new_page()
    member.goto(shown.base_url)
    member.click("#agree")
    expect(member.locator(".turn.bot .bubble:not(.typing)")).to_have_count(1)
    conversation_id = json.loads(member.evaluate("localStorage.getItem('niangjia.conversation')"))[
        "conversation_id"
    ]

    def deed(name: str, **fields: Any) -> None:
        assert worker.evaluate(POST, [f"/desk/c/{conversation_id}/{name}", fields]) == 200

    status, writing = member.locator("#status"), member.locator("#writing")
    deed("takeover")
    expect(status).to_have_text("人工来了：工号 07")
    deed("release")
    expect(status).to_contain_text("人工排队：第 ")
    assert fits(member)
    deed("takeover")
    deed("watch", typing="1")
    expect(writing).to_be_visible()
    deed("reply", text="您好，前面的话都看到了。")
    expect(member.get_by_text("您好，前面的话都看到了。")).to_be_visible()
    expect(writing).to_be_hidden()
    deed("finish")
    deed("handback")
    expect(status).to_have_text("济南工会小助手")
    stars = member.get_by_role("group", name="打分，1 到 5 颗星")
    expect(stars.get_by_role("button")).to_have_count(5)
    assert violations(member) == []
    assert fits(member)
    stars.get_by_role("button", name="4 分 满意").click()
    expect(member.locator(".turn.member", has_text="4 分")).to_be_visible()
    expect(stars.locator("button.lit")).to_have_count(4)
    expect(stars.get_by_role("button", name="5 分")).to_be_disabled()
    member.context.close()
    worker.context.close()


def fits(page: Page) -> bool:
    """Whether nothing scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"))
