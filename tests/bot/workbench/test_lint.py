"""The page about what is wrong with the training sentences, and the look at one as it is typed."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

import pytest

from bot.house import House
from bot.workbench import lint as lint_page
from casework import lint_report, samples
from casework.lint_report import LintReport
from casework.sample_lint import Finding, LintKind
from casework.tables import StaffRole
from tests.bot.desk.conftest import DeskClient, SignIn

HTML = {"Accept": "text/html"}
WRONG = "律师费谁承担"


async def standing_report(house: House, *more: Finding) -> Finding:
    """A report with one suspicious label among the real sentences."""
    async with house.database.read() as session:
        now_set = await samples.current(session, house.settings.home / "data" / "nlu")
    found = now_set.find(WRONG)
    assert found is not None
    suspect = Finding(LintKind.LABEL, found.intent, WRONG, other_intent="ask_legal_aid", detail="3.20")
    lint_report.write(
        house.settings.var_dir,
        LintReport(
            house.clock.now() - timedelta(hours=2),
            lint_report.digest(now_set),
            len(now_set),
            61.0,
            True,
            (suspect, *more),
        ),
    )
    return suspect


async def teacher(desk_client: SignIn) -> DeskClient:
    return await desk_client(StaffRole.SUPERVISOR)


async def test_before_the_first_look_the_page_says_so_and_offers_it(desk_client: SignIn) -> None:
    shown = await (await teacher(desk_client)).page("/workbench/lint")
    assert shown.status_code == 200
    assert "还没有检查过" in shown.text
    assert "/workbench/lint/start" in shown.text


async def test_a_suspicious_label_is_shown_with_both_intents_and_can_be_moved(
    house: House, desk_client: SignIn
) -> None:
    suspect = await standing_report(house)
    browser = await teacher(desk_client)
    shown = await browser.page("/workbench/lint")
    labels = {name: intent.label for name, intent in house.knowledge.intents.items()}
    assert WRONG in shown.text
    assert labels[suspect.intent] in shown.text
    assert f"改到「{labels['ask_legal_aid']}」" in shown.text
    moved = await browser.post(
        f"/workbench/lint/{suspect.key}/move", data={"csrf": browser.csrf}, headers=HTML
    )
    assert moved.status_code == 303
    async with house.database.read() as session:
        now_set = await samples.current(session, house.settings.home / "data" / "nlu")
        (change,) = await samples.history(session)
    assert now_set.intent_of(WRONG) == "ask_legal_aid"
    assert change.origin == "lint"
    after = await browser.page(moved.headers["location"])
    assert WRONG not in after.text
    assert "在那以后例句改过" in after.text
    again = await browser.post(
        f"/workbench/lint/{suspect.key}/move", data={"csrf": browser.csrf}, headers=HTML
    )
    assert again.status_code == 409  # somebody was faster: it stands there already


async def test_what_is_right_is_not_shown_again_after_the_next_look(
    house: House, desk_client: SignIn
) -> None:
    suspect = await standing_report(house)
    browser = await teacher(desk_client)
    done = await browser.post(f"/workbench/lint/{suspect.key}/dismiss", data={"csrf": browser.csrf})
    assert done.json()["location"] == "/workbench/lint?done=dismissed"
    await standing_report(house)
    shown = await browser.page("/workbench/lint")
    assert WRONG not in shown.text
    assert "有 1 条点过" in shown.text
    await browser.post("/workbench/lint/dismissed/clear", data={"csrf": browser.csrf, "deed": "clear"})
    assert WRONG in (await browser.page("/workbench/lint")).text


async def test_either_of_two_sentences_that_are_alike_can_be_removed(
    house: House, desk_client: SignIn
) -> None:
    async with house.database.read() as session:
        first, second = (await samples.current(session, house.settings.home / "data" / "nlu")).sentences[
            "ask_overtime"
        ][:2]
    pair = Finding(LintKind.NEAR, "ask_overtime", first, second, "ask_overtime", "0.91")
    await standing_report(house, pair)
    browser = await teacher(desk_client)
    assert "像 91%" in (await browser.page("/workbench/lint")).text
    await browser.post(f"/workbench/lint/{pair.key}/remove", data={"csrf": browser.csrf, "which": "other"})
    async with house.database.read() as session:
        now_set = await samples.current(session, house.settings.home / "data" / "nlu")
    assert (now_set.intent_of(first), now_set.intent_of(second)) == ("ask_overtime", None)


async def test_a_finding_nobody_knows_is_a_page_that_says_so(house: House, desk_client: SignIn) -> None:
    await standing_report(house)
    browser = await teacher(desk_client)
    for deed in ("move", "remove", "dismiss"):
        answer = await browser.post(
            f"/workbench/lint/{'0' * 20}/{deed}", data={"csrf": browser.csrf}, headers=HTML
        )
        assert answer.status_code == 404


async def test_a_sentence_is_looked_at_as_it_is_typed(house: House, desk_client: SignIn) -> None:
    browser = await teacher(desk_client)

    async def said(text: str, intent: str = "ask_overtime", was: str = "") -> str:
        fields = {"text": text, "intent": intent, "was": was}
        answer = await browser.post("/workbench/lint/check", data=fields)
        assert answer.status_code == 200
        return answer.text.strip()

    assert "同一句话在两个意图下" in await said(WRONG + "？")
    assert await said(WRONG, was=WRONG) == ""
    assert "可能有个人信息" in await said("我的电话是13912345678，找我说")
    assert "标了一种我们不认识的信息" in await said("一天[三百](pay)块还天天到半夜")
    async with house.database.transaction() as session:
        await samples.remove(
            session, browser.staff, WRONG, house.settings.home / "data" / "nlu", house.clock.now()
        )
    assert await said(WRONG) == ""


async def test_what_is_typed_never_stands_in_an_address(desk_client: SignIn) -> None:
    answer = await (await teacher(desk_client)).get(
        "/workbench/lint/check", params={"text": "我电话13912345678"}
    )
    assert answer.status_code in (404, 405)


async def test_a_look_begins_in_a_process_with_this_installations_settings(
    house: House, desk_client: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The real command takes a minute; whether it works is asked in tests/nlu/test_label_errors.py.
    script = (
        "import os, pathlib; told = pathlib.Path(os.environ['NIANGJIA_VAR'], 'told');"
        "told.write_text(os.environ['DATABASE_URL'])"
    )
    monkeypatch.setattr(lint_page, "COMMAND", (sys.executable, "-c", script))
    house.settings.var_dir.mkdir(parents=True, exist_ok=True)
    browser = await teacher(desk_client)
    begun = await browser.post("/workbench/lint/start", data={"csrf": browser.csrf, "deed": "look"})
    assert begun.json()["location"] == "/workbench/lint?done=started"
    await asyncio.gather(*lint_page._UNDER_WAY)
    told = house.settings.var_dir / "told"
    assert told.read_text() == house.settings.database_url
    told.unlink()
    lint_report.begin(house.settings.var_dir, house.clock.now())
    await browser.post("/workbench/lint/start", data={"csrf": browser.csrf, "deed": "look"})
    assert not lint_page._UNDER_WAY
    assert not told.exists()
    assert "正在检查" in (await browser.page("/workbench/lint")).text


async def test_an_agent_does_not_see_it(desk_client: SignIn) -> None:
    browser = await desk_client(StaffRole.AGENT)
    assert (await browser.page("/workbench/lint")).status_code == 403
    assert (await browser.post("/workbench/lint/check", data={"text": "x", "intent": "y"})).status_code == 403
