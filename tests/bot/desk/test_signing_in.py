"""Signing in: the form, lock-out, the second factor and the profile, and those who try to get around them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pyotp
import pytest
from fastapi import FastAPI

from bot.desk.browsers import browser_name
from bot.desk.sessions import COOKIE
from bot.desk.signing_in import FORM_COOKIE
from bot.house import House
from casework import accounts, passwords, staff_sessions
from casework.clock import FixedClock
from casework.passwords import hash_password, matches
from casework.tables import Presence, Staff, StaffRole
from tests.bot.api.conftest import new_client
from tests.bot.desk.conftest import SignIn
from tests.factories import make_staff

PASSWORD = "kein-leichtes-07"
FRESH = "又长又好记的新密码八九"
PAGE = {"Accept": "text/html,application/xhtml+xml"}
STEP = timedelta(seconds=30)

Hire = Callable[..., Awaitable[Staff]]


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody's browser, not signed in."""
    async with new_client(app) as client:
        client.headers.update(PAGE)
        yield client


@pytest.fixture
def hire(house: House) -> Hire:
    """Somebody with a password."""

    async def make(login: str = "li", **values: Any) -> Staff:
        async with house.database.transaction() as session:
            return await make_staff(
                session, **{"login": login, "password_hash": hash_password(PASSWORD)} | values
            )

    return make


def field(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


async def sign_in(
    browser: httpx.AsyncClient, login: str = "li", password: str = PASSWORD, **more: str
) -> httpx.Response:
    """Fill in the form."""
    form = await browser.get("/desk/login")
    shown = {"login": login, "password": password, "csrf": field(form, "csrf")} | more
    return await browser.post("/desk/login", data=shown)


async def submit(browser: httpx.AsyncClient, at: str, to: str, **values: str) -> httpx.Response:
    """Send a form that stands on a page, with its token."""
    form = await browser.get(at)
    assert form.status_code == 200, form.text
    return await browser.post(to, data={"csrf": field(form, "csrf")} | values)


async def current(house: House, staff: Staff) -> Staff:
    async with house.database.read() as session:
        return await accounts.find_staff(session, staff.login, closed=True)


async def second_factor(house: House, staff: Staff) -> pyotp.TOTP:
    """Turn the second factor on for somebody."""
    secret = pyotp.random_base32()
    async with house.database.transaction() as session:
        person = await accounts.lock_staff(session, staff.id)
        person.totp_on, person.totp_secret = True, secret
    return pyotp.TOTP(secret)


# --- the form


async def test_a_worker_signs_in_sees_their_profile_and_signs_out(
    browser: httpx.AsyncClient, hire: Hire
) -> None:
    await hire(display_name="李坐席", badge="07")
    answer = await sign_in(browser, " Li ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    profile = await browser.get("/desk/profile")
    assert profile.status_code == 200
    assert "李坐席" in profile.text
    assert "07" in profile.text
    out = await submit(browser, "/desk/profile", "/desk/logout")
    assert (out.status_code, out.headers["location"]) == (303, "/desk/login")
    assert (await browser.get("/desk/profile")).headers["location"] == "/desk/login?next=/desk/profile"


async def test_the_cookie_is_for_this_browser_only_and_out_of_reach_of_scripts(
    browser: httpx.AsyncClient, hire: Hire
) -> None:
    await hire()
    (cookie,) = (await sign_in(browser)).headers.get_list("set-cookie")
    parts = {part.strip().lower() for part in cookie.split(";")}
    assert cookie.startswith(f"{COOKIE}=")
    assert {"httponly", "samesite=strict", "path=/"} <= parts
    assert not any(part.startswith(("domain", "expires", "max-age")) for part in parts)


async def test_over_https_the_cookies_travel_over_https_only(app: FastAPI, hire: Hire) -> None:
    await hire()
    transport = httpx.ASGITransport(app=app, client=("203.0.113.7", 40000))
    async with httpx.AsyncClient(transport=transport, base_url="https://niangjia.test") as browser:
        form = await browser.get("/desk/login")
        assert form.headers["strict-transport-security"] == "max-age=31536000"
        answer = await sign_in(browser)
        for cookie in (form.headers["set-cookie"], answer.headers["set-cookie"]):
            assert cookie.startswith("__Host-niangjia")
            assert "; Secure" in cookie
            assert "domain" not in cookie.lower()
        assert (await browser.get("/desk/profile", headers=PAGE)).status_code == 200


async def test_the_pages_are_not_kept_and_hold_nothing_inline(browser: httpx.AsyncClient, hire: Hire) -> None:
    await hire()
    pages = [await browser.get("/desk/login")]
    await sign_in(browser)
    await submit(browser, "/desk/profile", "/desk/profile/totp/begin")
    pages += [await browser.get(f"/desk/profile{path}") for path in ("", "/password", "/totp")]
    for page in pages:
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"
        assert "unsafe" not in page.headers["content-security-policy"]
        assert "strict-transport-security" not in page.headers
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:|<script(?![^>]*\ssrc=)", page.text)


async def test_whoever_is_signed_in_goes_on_from_the_sign_in_page(desk_client: SignIn) -> None:
    agent = await desk_client()
    answer = await agent.page("/desk/login?next=/desk/cases")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/cases")


@pytest.mark.parametrize(
    ("wanted", "gone_to"),
    [
        ("/desk/cases?tab=mine", "/desk/cases?tab=mine"),
        ("//evil.test", "/desk"),
        ("https://evil.test/desk", "/desk"),
        ("/\\evil.test", "/desk"),
        ("javascript:alert(1)", "/desk"),
    ],
)
async def test_after_signing_in_one_lands_on_a_page_of_the_desk_and_nowhere_else(
    browser: httpx.AsyncClient, hire: Hire, wanted: str, gone_to: str
) -> None:
    await hire()
    form = await browser.get("/desk/login", params={"next": wanted})
    assert field(form, "next").replace("&amp;", "&") == gone_to
    answer = await sign_in(browser, next=wanted)
    assert answer.headers["location"] == gone_to


async def test_what_was_typed_comes_back_escaped_and_without_the_password(
    browser: httpx.AsyncClient,
) -> None:
    answer = await sign_in(browser, '"><script>alert(1)</script>', PASSWORD)
    assert answer.status_code == 401
    assert "<script>alert" not in answer.text
    assert PASSWORD not in answer.text


# --- who may not come in


async def test_nobody_is_told_whether_login_or_password_was_wrong(
    browser: httpx.AsyncClient, hire: Hire
) -> None:
    await hire()
    await hire("gone", active=False)
    answers = [
        await sign_in(browser, "li", "wrong"),
        await sign_in(browser, "nobody", "wrong"),
        await sign_in(browser, "gone", PASSWORD),
    ]
    pages = {re.sub(r"\b(li|nobody|gone)\b", "?", each.text) for each in answers}
    assert [each.status_code for each in answers] == [401] * 3
    assert len(pages) == 1
    assert "登录名或密码不对" in pages.pop()
    assert COOKIE not in browser.cookies


async def test_the_sixth_try_is_told_to_wait_whether_or_not_there_is_such_a_login(
    app: FastAPI, hire: Hire, clock: FixedClock
) -> None:
    await hire()
    for login in ("li", "nobody"):
        async with new_client(app, address=f"203.0.113.{len(login)}") as browser:
            browser.headers.update(PAGE)
            tries = [await sign_in(browser, login, "wrong") for _ in range(4)]
            assert [each.status_code for each in tries] == [401] * 4
            for password in ("wrong", PASSWORD):
                locked = await sign_in(browser, login, password)
                assert locked.status_code == 429
                assert "登录太频繁，请 15 分钟后再试" in locked.text
                assert locked.headers["retry-after"] == "900"
    clock.advance(timedelta(minutes=15))
    async with new_client(app, address="203.0.113.99") as browser:
        assert (await sign_in(browser)).status_code == 303


async def test_an_unknown_login_costs_as_many_verifications_as_a_known_one(
    app: FastAPI, hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hire()
    verified: list[str] = []

    def counted(password_hash: str, password: str) -> bool:
        verified.append(password_hash)
        return matches(password_hash, password)

    monkeypatch.setattr(passwords, "matches", counted)
    costs = []
    for login in ("li", "nobody"):
        async with new_client(app, address=f"203.0.113.{len(login)}") as browser:
            for _ in range(6):
                await sign_in(browser, login, "wrong")
        costs.append(len(verified))
    assert costs == [5, 10]
    assert set(verified[5:]) == {passwords.NOBODYS_HASH}


async def test_one_address_gets_twenty_tries_in_ten_minutes(app: FastAPI, hire: Hire) -> None:
    await hire()
    async with new_client(app) as browser:
        answers = [await sign_in(browser, f"login{number}", "wrong") for number in range(20)]
        assert {each.status_code for each in answers} == {401}
        assert (await sign_in(browser)).status_code == 429
    async with new_client(app, address="203.0.113.8") as browser:
        assert (await sign_in(browser)).status_code == 303


@pytest.mark.parametrize("proof", ["", "0" * 64])
async def test_a_form_that_is_not_ours_signs_nobody_in(
    browser: httpx.AsyncClient, hire: Hire, proof: str
) -> None:
    await hire()
    without_cookie = await browser.post(
        "/desk/login", data={"login": "li", "password": PASSWORD, "csrf": proof}
    )
    assert without_cookie.status_code == 403
    await browser.get("/desk/login")
    with_cookie = await browser.post("/desk/login", data={"login": "li", "password": PASSWORD, "csrf": proof})
    assert with_cookie.status_code == 403
    assert COOKIE not in browser.cookies


async def test_another_sites_form_signs_nobody_in(browser: httpx.AsyncClient, hire: Hire) -> None:
    await hire()
    browser.headers["Origin"] = "https://evil.test"
    assert (await sign_in(browser)).status_code == 403
    assert COOKIE not in browser.cookies


async def test_a_token_planted_before_signing_in_is_not_taken_over(
    browser: httpx.AsyncClient, hire: Hire, house: House
) -> None:
    await hire()
    browser.cookies.set(COOKIE, "planted", domain="niangjia.test")
    await sign_in(browser)
    first = browser.cookies[COOKIE]
    assert first != "planted"
    form = await browser.get("/desk/profile")
    assert form.status_code == 200
    browser.cookies.delete(COOKIE)
    page = await browser.get("/desk/login")
    browser.cookies.set(COOKIE, first, domain="niangjia.test")
    shown = {"login": "li", "password": PASSWORD, "csrf": field(page, "csrf")}
    await browser.post("/desk/login", data=shown)
    assert browser.cookies.get(COOKIE, domain="niangjia.test") != first
    async with house.database.read() as session:
        assert await staff_sessions.find_session(session, first, house.clock.now()) is None


async def test_a_token_that_was_signed_out_or_whose_account_was_closed_opens_nothing(
    browser: httpx.AsyncClient, hire: Hire, house: House
) -> None:
    li = await hire(presence=Presence.ONLINE)
    await sign_in(browser)
    token = browser.cookies[COOKIE]
    await submit(browser, "/desk/profile", "/desk/logout")
    browser.cookies.set(COOKIE, token, domain="niangjia.test")
    assert (await browser.get("/desk/profile")).status_code == 303
    assert (await current(house, li)).presence is Presence.OFFLINE
    browser.cookies.clear()
    await sign_in(browser)
    async with house.database.transaction() as session:
        await accounts.close_account(session, "li", house.clock.now())
    assert (await browser.get("/desk/profile")).status_code == 303


# --- the second factor


async def test_with_a_second_factor_a_code_is_asked_for_and_the_token_changes(
    browser: httpx.AsyncClient, hire: Hire, house: House
) -> None:
    totp = await second_factor(house, await hire())
    answer = await sign_in(browser, next="/desk/cases")
    assert answer.headers["location"] == "/desk/totp?next=/desk/cases"
    before = browser.cookies[COOKIE]
    assert (await browser.get("/desk/profile")).headers["location"] == "/desk/totp"
    assert (await browser.get("/desk/profile/password")).headers["location"] == "/desk/totp"
    code = totp.at(house.clock.now())
    wrong = await submit(browser, "/desk/totp", "/desk/totp", code="000000")
    assert wrong.status_code == 401
    assert "验证码不对" in wrong.text
    right = await submit(browser, "/desk/totp", "/desk/totp", code=code, next="/desk/cases")
    assert (right.status_code, right.headers["location"]) == (303, "/desk/cases")
    assert browser.cookies[COOKIE] != before
    assert (await browser.get("/desk/profile")).status_code == 200
    browser.cookies.set(COOKIE, before, domain="niangjia.test")
    assert (await browser.get("/desk/profile")).status_code == 303


async def test_a_code_that_was_used_opens_nothing_in_another_browser(
    app: FastAPI, hire: Hire, house: House
) -> None:
    totp = await second_factor(house, await hire())
    code = totp.at(house.clock.now())
    async with new_client(app) as one, new_client(app) as other:
        for browser, status in ((one, 303), (other, 401)):
            browser.headers.update(PAGE)
            await sign_in(browser)
            answer = await submit(browser, "/desk/totp", "/desk/totp", code=code)
            assert answer.status_code == status


async def test_wrong_codes_lock_even_when_right_passwords_come_between(
    browser: httpx.AsyncClient, hire: Hire, house: House
) -> None:
    totp = await second_factor(house, await hire())
    for _ in range(4):
        await sign_in(browser)
        assert (await submit(browser, "/desk/totp", "/desk/totp", code="000000")).status_code == 401
        browser.cookies.delete(COOKIE)
    await sign_in(browser)
    locked = await submit(browser, "/desk/totp", "/desk/totp", code="000000")
    assert locked.status_code == 429
    assert COOKIE not in browser.cookies
    assert (await sign_in(browser)).status_code == 429
    assert totp.at(house.clock.now()) not in locked.text


async def test_a_session_without_its_second_factor_is_over_after_ten_minutes(
    browser: httpx.AsyncClient, hire: Hire, house: House, clock: FixedClock
) -> None:
    await second_factor(house, await hire())
    await sign_in(browser)
    clock.advance(timedelta(minutes=10))
    assert (await browser.get("/desk/totp")).headers["location"] == "/desk/login"


async def test_the_second_factor_is_turned_on_by_a_code_and_off_by_the_password(
    browser: httpx.AsyncClient, hire: Hire, house: House, clock: FixedClock
) -> None:
    li = await hire()
    await sign_in(browser)
    begun = await submit(browser, "/desk/profile", "/desk/profile/totp/begin")
    assert begun.headers["location"] == "/desk/profile/totp"
    shown = await browser.get("/desk/profile/totp")
    assert "<svg" in shown.text
    secret = (await current(house, li)).totp_secret or ""
    assert secret in re.sub(r"\s", "", shown.text)
    wrong = await submit(browser, "/desk/profile/totp", "/desk/profile/totp/confirm", code="000000")
    assert wrong.status_code == 422
    assert not (await current(house, li)).totp_on
    code = pyotp.TOTP(secret).at(clock.now())
    on = await submit(browser, "/desk/profile/totp", "/desk/profile/totp/confirm", code=code)
    assert on.headers["location"] == "/desk/profile?done=totp_on"
    assert (await current(house, li)).totp_on
    assert secret not in (await browser.get("/desk/profile")).text
    refused = await submit(browser, "/desk/profile", "/desk/profile/totp/off", password="wrong")
    assert refused.status_code == 422
    assert "现在的密码不对" in refused.text
    off = await submit(browser, "/desk/profile", "/desk/profile/totp/off", password=PASSWORD)
    assert off.headers["location"] == "/desk/profile?done=totp_off"
    kept = await current(house, li)
    assert (kept.totp_on, kept.totp_secret) == (False, None)


# --- the password


async def test_a_one_time_password_opens_only_its_own_change(
    browser: httpx.AsyncClient, hire: Hire, house: House
) -> None:
    li = await hire()
    async with house.database.transaction() as session:
        person = await accounts.lock_staff(session, li.id)
        once = await accounts.reset_password(session, person, house.clock.now())
    await sign_in(browser, password=once)
    assert (await browser.get("/desk/profile")).headers["location"] == "/desk/profile/password"
    before = browser.cookies[COOKIE]
    page = "/desk/profile/password"
    again = await submit(browser, page, page, current=once, fresh=once, again=once)
    assert "新密码和现在的一样" in again.text
    changed = await submit(browser, page, page, current=once, fresh=FRESH, again=FRESH)
    assert changed.headers["location"] == "/desk/profile?done=password"
    assert browser.cookies[COOKIE] != before
    assert "密码改好了" in (await browser.get("/desk/profile?done=password")).text
    assert matches((await current(house, li)).password_hash or "", FRESH)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"current": "wrong"}, "现在的密码不对"),
        ({"again": FRESH + "x"}, "两次输入的新密码不一样"),
        ({"fresh": "short", "again": "short"}, "密码要 10 到 200 个字符"),
        ({"fresh": "password123", "again": "password123"}, "太常见"),
        ({"fresh": "worker-li-2026", "again": "worker-li-2026"}, "不要带登录名"),
    ],
)
async def test_a_password_is_changed_by_who_knows_it_for_a_good_one_typed_twice(
    browser: httpx.AsyncClient, hire: Hire, house: House, values: dict[str, str], said: str
) -> None:
    li = await hire()
    await sign_in(browser)
    typed = {"current": PASSWORD, "fresh": FRESH, "again": FRESH} | values
    answer = await submit(browser, "/desk/profile/password", "/desk/profile/password", **typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert not any(password in answer.text for password in typed.values())
    assert matches((await current(house, li)).password_hash or "", PASSWORD)


async def test_guessing_the_current_password_in_a_stolen_session_locks(
    browser: httpx.AsyncClient, hire: Hire
) -> None:
    await hire()
    await sign_in(browser)
    page = "/desk/profile/password"
    for _ in range(5):
        answer = await submit(browser, page, page, current="wrong", fresh=FRESH, again=FRESH)
    assert "登录太频繁" in answer.text
    answer = await submit(browser, page, page, current=PASSWORD, fresh=FRESH, again=FRESH)
    assert "登录太频繁" in answer.text


async def test_changing_the_password_ends_every_other_session(app: FastAPI, hire: Hire) -> None:
    await hire()
    async with new_client(app) as here, new_client(app) as elsewhere:
        for browser in (here, elsewhere):
            browser.headers.update(PAGE)
            await sign_in(browser)
        page = "/desk/profile/password"
        await submit(here, page, page, current=PASSWORD, fresh=FRESH, again=FRESH)
        assert (await here.get("/desk/profile")).status_code == 200
        assert (await elsewhere.get("/desk/profile")).status_code == 303


# --- sessions


async def test_one_ends_ones_own_sessions_and_nobody_elses(desk_client: SignIn) -> None:
    here = await desk_client()
    there, third = await desk_client(staff=here.staff), await desk_client(staff=here.staff)
    somebody = await desk_client(StaffRole.ADMIN)
    page = await here.page("/desk/profile")
    assert page.text.count("Chromium") == 3
    assert "就是这里" in page.text
    ended = await here.post(f"/desk/profile/sessions/{there.session.id}/end")
    assert ended.headers["location"] == "/desk/profile?done=session"
    assert (await there.get("/desk/profile")).status_code == 401
    assert (await third.get("/desk/profile")).status_code == 200
    assert (await somebody.post(f"/desk/profile/sessions/{here.session.id}/end")).status_code == 404
    assert (await here.get("/desk/profile")).status_code == 200
    await here.post("/desk/profile/sessions/end-others")
    assert (await third.get("/desk/profile")).status_code == 401
    own = await here.post(f"/desk/profile/sessions/{here.session.id}/end")
    assert own.headers["location"] == "/desk/login"
    assert (await here.get("/desk/profile")).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/desk/logout",
        "/desk/totp",
        "/desk/profile/password",
        "/desk/profile/totp/begin",
        "/desk/profile/totp/confirm",
        "/desk/profile/totp/off",
        "/desk/profile/sessions/end-others",
        "/desk/profile/sessions/x/end",
    ],
)
async def test_every_form_needs_the_sessions_token(desk_client: SignIn, path: str) -> None:
    here = await desk_client()
    other = await desk_client(staff=here.staff)
    del here.headers["X-CSRF-Token"]
    for values in ({}, {"csrf": other.csrf}, {"csrf": here.cookies.get(FORM_COOKIE) or "x"}):
        assert (await here.post(path, data=values)).status_code == 403
    assert (await here.get("/desk/profile")).status_code == 200


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
            "Edge · Windows",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130 Safari/537",
            "Chrome · Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari · iPhone",
        ),
        ("Mozilla/5.0 (Android 15; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0", "Firefox · Android"),
        ("curl/8", "curl/8"),
        (None, None),
    ],
)
def test_a_browser_is_called_what_its_owner_calls_it(user_agent: str | None, name: str | None) -> None:
    assert browser_name(user_agent) == name


async def test_the_browsers_name_is_shown_as_text(browser: httpx.AsyncClient, hire: Hire) -> None:
    await hire()
    browser.headers["User-Agent"] = "<img src=x onerror=alert(1)>" * 9
    await sign_in(browser)
    page = await browser.get("/desk/profile")
    assert page.status_code == 200
    assert "<img src=x" not in page.text
    assert "&lt;img src=x" in page.text
