"""The pages about models: the verdict in words, promotion, canary, rollback, and who may."""

from __future__ import annotations

from typing import Any

import pytest

from bot.house import House
from bot.workbench.models import REPORT_POLICY
from casework import model_registry
from casework.tables import ModelState, ModelVersion, StaffRole
from tests.bot.desk.conftest import SignIn
from tests.casework.test_gate import well

HTML = {"Accept": "text/html"}
REASON = "暑期高温咨询太多，先上线再补例句"


async def registered(
    house: House, number: int, *, passed: bool | None = True, safe: bool | None = True, live: bool = False
) -> ModelVersion:
    now = house.clock.now()
    async with house.database.transaction() as session:
        version = await model_registry.register(
            session, sha256=f"{number:064x}", size=2**20, now=now, scores={"accuracy": 0.85}, why="补了十句"
        )
        version.passed, version.safe = passed, safe
        if live:
            await model_registry.adopt(session, version, now, "first")
    house.settings.models_dir.mkdir(parents=True, exist_ok=True)
    (house.settings.models_dir / f"{version.name}.tar.gz").write_bytes(b"x")
    return version


async def judged(
    house: House, version: ModelVersion, against: ModelVersion, passed: bool, safe: bool
) -> None:
    gate: dict[str, Any] = well()
    gate["gold"]["overall"]["interval"] = [-0.4, 1.3]
    sentence = {
        "text": "垒的墙不给量",
        "topic": "labour.wage_arrears",
        "after": "labour.other",
        "confidence": 0.5,
    }
    gate["gold"]["to_wrong"] = [{**sentence, "before": "labour.wage_arrears"}]
    gate["gold"]["to_right"] = []
    gate["corrections"] = [
        {
            "text": "工票不认账",
            "intent": "ask_wage_arrears",
            "topic": "labour.wage_arrears",
            "before": "talk.out_of_scope",
            "after": "labour.wage_arrears",
            "learnt": True,
        }
    ]
    gate["findings"] = [
        {"code": "crisis_lost", "weight": "floor", "words": "有 1 句求救的话听不出"},
        {"code": "same", "weight": "notice", "words": "整体没有看得出的差别"},
    ]
    gate["against"] = against.name
    async with house.database.transaction() as session:
        found = await model_registry.named(session, version.name)
        await model_registry.judge(
            session,
            found,
            gate=gate,
            passed=passed,
            safe=safe,
            against=against,
            now=house.clock.now(),
        )


async def live_name(house: House) -> str | None:
    async with house.database.read() as session:
        found = await model_registry.live(session)
    return None if found is None else found.name


async def test_without_a_model_the_page_says_what_to_do(desk_client: SignIn) -> None:
    boss = await desk_client(StaffRole.SUPERVISOR)
    page = await boss.page("/workbench/models")
    assert page.status_code == 200
    assert "还没有登记过模型" in page.text


async def test_a_version_that_passed_is_promoted_and_rolled_back(house: House, desk_client: SignIn) -> None:
    boss = await desk_client(StaffRole.SUPERVISOR)
    one = await registered(house, 1, passed=None, live=True)
    two = await registered(house, 2)
    shown = (await boss.page(f"/workbench/models/{two.name}")).text
    assert "让它回答所有职工" in shown
    done = await boss.post(f"/workbench/models/{two.name}/promote", headers=HTML)
    assert done.status_code == 303
    assert "换好了" in (await boss.page(done.headers["location"])).text
    assert await live_name(house) == two.name
    listed = (await boss.page("/workbench/models")).text
    assert f"回退到 {one.name}" in listed
    back = await boss.post("/workbench/models/rollback", data={"reason": "看着不对"}, headers=HTML)
    assert back.status_code == 303
    assert await live_name(house) == one.name
    assert "看着不对" in (await boss.page("/workbench/models")).text


async def test_the_verdict_is_said_in_words_with_every_sentence_that_changed(
    house: House, desk_client: SignIn
) -> None:
    boss = await desk_client(StaffRole.SUPERVISOR)
    one, two = await registered(house, 1, passed=None, live=True), await registered(house, 2)
    await judged(house, two, one, passed=False, safe=False)
    shown = (await boss.page(f"/workbench/models/{two.name}")).text
    for words in (
        "有 1 句求救的话听不出",
        "从对变错的 1 句",
        "垒的墙不给量",
        "✔ 学会了",
        "工票不认账",
        "碰了底线，谁都不能放行",
    ):
        assert words in shown, words
    assert "我负责，换上" not in shown


async def test_what_the_gate_refused_needs_a_written_reason(house: House, desk_client: SignIn) -> None:
    boss = await desk_client(StaffRole.SUPERVISOR)
    one, two = await registered(house, 1, passed=None, live=True), await registered(house, 2)
    await judged(house, two, one, passed=False, safe=True)
    address = f"/workbench/models/{two.name}/override"
    assert (await boss.post(f"/workbench/models/{two.name}/promote", headers=HTML)).status_code == 409
    for reason in ("", "算了"):
        refused = await boss.post(address, data={"reason": reason}, headers=HTML)
        assert refused.status_code == 409
        assert 'role="alert"' in refused.text
        assert await live_name(house) == one.name
    assert (await boss.post(address, data={"reason": REASON}, headers=HTML)).status_code == 303
    assert await live_name(house) == two.name
    assert REASON in (await boss.page(f"/workbench/models/{two.name}")).text


async def test_nobody_gets_past_a_floor(house: House, desk_client: SignIn) -> None:
    boss = await desk_client(StaffRole.ADMIN)
    one, two = await registered(house, 1, passed=None, live=True), await registered(house, 2)
    await judged(house, two, one, passed=False, safe=False)
    for deed, fields in (("promote", {}), ("override", {}), ("canary", {"share": "10"})):
        refused = await boss.post(
            f"/workbench/models/{two.name}/{deed}", data={"reason": REASON, **fields}, headers=HTML
        )
        assert refused.status_code == 409
    assert await live_name(house) == one.name


async def test_a_canary_begins_with_a_share_and_ends(house: House, desk_client: SignIn) -> None:
    boss = await desk_client(StaffRole.SUPERVISOR)
    await registered(house, 1, passed=None, live=True)
    two = await registered(house, 2)
    begun = await boss.post(f"/workbench/models/{two.name}/canary", data={"share": "20"}, headers=HTML)
    assert begun.status_code == 303
    assert "20% 的会话由它回答" in (await boss.page("/workbench/models")).text
    await boss.post("/workbench/models/canary/end", headers=HTML)
    async with house.database.read() as session:
        assert (await model_registry.named(session, two.name)).state is ModelState.CANDIDATE


async def test_a_share_that_is_none_is_refused(house: House, desk_client: SignIn) -> None:
    boss = await desk_client(StaffRole.SUPERVISOR)
    await registered(house, 1, passed=None, live=True)
    two = await registered(house, 2)
    wrong = await boss.post(f"/workbench/models/{two.name}/canary", data={"share": "33"}, headers=HTML)
    assert wrong.status_code == 409


async def test_there_is_nothing_to_go_back_to_at_first(house: House, desk_client: SignIn) -> None:
    boss = await desk_client(StaffRole.SUPERVISOR)
    await registered(house, 1, passed=None, live=True)
    refused = await boss.post("/workbench/models/rollback", headers=HTML)
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text


async def test_the_report_runs_nothing_and_loads_nothing(house: House, desk_client: SignIn) -> None:
    boss = await desk_client(StaffRole.SUPERVISOR)
    one = await registered(house, 1)
    address = f"/workbench/models/{one.name}/report"
    assert (await boss.page(address)).status_code == 404
    (house.settings.models_dir / f"{one.name}.report.html").write_text("<p>报告</p>", encoding="utf-8")
    shown = await boss.page(address)
    assert shown.text == "<p>报告</p>"
    assert shown.headers["content-security-policy"] == REPORT_POLICY


@pytest.mark.parametrize("role", [StaffRole.AGENT, StaffRole.AUDITOR])
async def test_who_does_not_teach_does_not_see_the_models(desk_client: SignIn, role: StaffRole) -> None:
    somebody = await desk_client(role)
    assert (await somebody.page("/workbench/models")).status_code == 403


async def test_a_version_nobody_knows_is_not_found(desk_client: SignIn) -> None:
    boss = await desk_client(StaffRole.SUPERVISOR)
    assert (await boss.page("/workbench/models/2026-11-22-9")).status_code == 404
    assert (await boss.page("/workbench/models/..%2f..%2fetc")).status_code in (404, 422)
