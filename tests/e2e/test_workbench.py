"""The training workbench from end to end: real Chromium, two Rasa replicas, real trainings."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browser import chromium
from tests.e2e.desk_people import Worker, hire
from tests.e2e.house import ROOT, Member, RunningHouse
from tests.e2e.test_headlines import answer_until_summary, case_number
from tests.e2e.workshop import (
    Chatter,
    Replica,
    all_serve,
    live_name,
    register_broken,
    rows,
    shuffle_labels,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PHONE = "13805310042"
UNKNOWN = "俺垒的墙他瞅都不瞅就走了，这力气算白出"
"""Work nobody measures is not paid; no training sentence says it like this."""
TRAINED_WITHIN_MS = 300_000
REPLAYED = 120


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def workshop(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A house of its own with two replicas of Rasa: what is promoted here disturbs nobody else."""
    var = tmp_path_factory.mktemp("workshop")
    house = RunningHouse.start(
        var, model, RASA_REPLICAS="2", NIANGJIA_MODELS=str(var / "models"), MODEL_PULL_SECONDS="1"
    )
    yield house
    assert house.stop() == 0, house.logs()


@pytest.fixture(scope="module")
def replicas(workshop: RunningHouse) -> Iterator[list[Replica]]:
    first = workshop.ports["RASA_PORT"]
    with httpx.Client(timeout=10, trust_env=False) as client:
        yield [Replica(workshop, first + number, client) for number in range(2)]


@pytest.fixture(scope="module")
def zhao(browser: Browser, workshop: RunningHouse) -> Worker:
    return hire(browser, workshop, "wb.zhao", "赵管理", "--role", "admin")


@pytest.fixture(scope="module")
def replay() -> list[str]:
    """Sentences read before and after, to compare byte for byte."""
    gold = sorted((ROOT / "tests" / "nlu" / "gold").glob("*.jsonl"))
    texts = [json.loads(line)["text"] for file in gold for line in file.read_text("utf-8").splitlines()]
    return texts[:: max(1, len(texts) // REPLAYED)]


def test_from_a_misunderstood_sentence_to_a_better_model_and_back(
    workshop: RunningHouse, replicas: list[Replica], zhao: Worker, replay: list[str]
) -> None:
    first = live_name(workshop)
    all_serve(replicas, first)
    before = replicas[0].behaviour(replay)
    assert replicas[1].behaviour(replay) == before, "two replicas of one model read alike"
    writer = workshop.member()
    writer.say(f"{UNKNOWN}，俺手机{PHONE}")
    appears_without_the_phone(workshop, zhao)
    is_labelled(zhao)
    candidate = is_trained(zhao)
    passes_the_gate(zhao, candidate)

    talking = workshop.member()
    talking.say("俺在章丘一个工地干了仨月，工头一分钱没给，这咋办")
    talking.press("开工单，请工会跟进")
    with Chatter(workshop.member(), ["公司拖欠工资三个月", "怀孕被辞退了", "高温费多少钱一个月"]) as chatter:
        is_promoted(zhao, candidate)
        all_serve(replicas, candidate)
    assert chatter.problems == []
    assert len(chatter.answers) > 3
    assert "system_failure" not in {reason for (reason,) in rows(workshop.var, "SELECT reason FROM handoffs")}
    goes_on(talking)

    assert "工资" in writer.say(f"{UNKNOWN}，俺手机{PHONE}")
    seen = rows(
        workshop.var, "SELECT topic, model FROM messages WHERE author = 'member' ORDER BY id DESC LIMIT 1"
    )
    assert seen == [("labour.wage_arrears", candidate)]
    assert replicas[0].reads(UNKNOWN)["topic"] == "labour.wage_arrears"

    assert first in workshop.command("model", "rollback", "--reason", "看看能不能回来")
    all_serve(replicas, first)
    assert [replica.behaviour(replay) for replica in replicas] == [before, before]
    assert zhao.complaints == []


def appears_without_the_phone(workshop: RunningHouse, zhao: Worker) -> None:
    """The message is in the inbox, and nobody's phone is."""
    workshop.command("inbox", "gather")
    zhao.page.goto(f"{workshop.base_url}/workbench")
    expect(zhao.page.get_by_text(UNKNOWN).first).to_be_visible()
    expect(zhao.page.locator("main")).to_contain_text("[电话]")
    assert PHONE not in zhao.page.content()


def is_labelled(zhao: Worker) -> None:
    """By keys alone: / searches the intents, Enter decides."""
    page = zhao.page
    page.locator("body").press("/")
    picker = page.get_by_label("别的意图")
    expect(picker).to_be_focused()
    picker.fill("拖欠、克扣工资")
    picker.press("Enter")
    expect(page.get_by_role("status").filter(has_text="定了")).to_be_visible()


def is_trained(zhao: Worker) -> str:
    """The button, the progress, and the candidate's name."""
    page = zhao.page
    page.goto(f"{zhao.house.base_url}/workbench/train")
    page.get_by_label("这次改了什么").fill("端到端测试")
    page.get_by_role("button", name="开始训练").click()
    expect(page.get_by_role("progressbar", name="训练进度")).to_be_visible(timeout=20_000)
    trained = page.locator("#trained")
    expect(trained).to_be_visible(timeout=TRAINED_WITHIN_MS)
    return trained.inner_text()


def passes_the_gate(zhao: Worker, candidate: str) -> None:
    """The verdict in words, and that the correction was learnt."""
    zhao.page.goto(f"{zhao.house.base_url}/workbench/models/{candidate}")
    main = zhao.page.locator("main")
    expect(main).to_contain_text("✔ 通过")
    expect(main).to_contain_text("学会了")
    expect(main).to_contain_text("从对变错的")


def is_promoted(zhao: Worker, candidate: str) -> None:
    """One button."""
    zhao.page.get_by_role("button", name="让它回答所有职工").click()
    expect(zhao.page.get_by_role("status").filter(has_text="换好了")).to_be_visible()
    expect(zhao.page.locator("h1")).to_contain_text("正在回答")


def goes_on(talking: Member) -> None:
    """A case that was begun on the old model is finished on the new one."""
    answer_until_summary(talking)
    case_number(talking.press("提交"))


def test_whatever_is_killed_in_a_swap_one_model_serves(
    workshop: RunningHouse, replicas: list[Replica]
) -> None:
    live = live_name(workshop)
    broken = register_broken(workshop)
    workshop.command("model", "promote", broken)
    with Chatter(workshop.member(), ["公司拖欠工资三个月", "怀孕被辞退了"]) as chatter:
        for _ in range(10):
            assert {replica.model() for replica in replicas} <= {live, None}
            chatter._stop.wait(0.5)
    assert chatter.problems == [], "a model that cannot be loaded is never loaded"
    workshop.command("model", "rollback")
    all_serve(replicas, live)
    for module in ("serve", "nlu.server"):
        os.kill(workshop.pid_of(module), signal.SIGKILL)
    all_serve(replicas, live, within_s=90)
    assert "工资" in workshop.member().say("公司拖欠工资三个月")


def test_shuffled_labels_are_refused_and_the_gate_says_why(
    workshop: RunningHouse, replicas: list[Replica], zhao: Worker
) -> None:
    live = live_name(workshop)
    assert shuffle_labels(workshop, 300, seed=7) > 250
    zhao.page.goto(f"{workshop.base_url}/workbench/train")
    candidate = is_trained(zhao)
    zhao.page.goto(f"{workshop.base_url}/workbench/models/{candidate}")
    main = zhao.page.locator("main")
    expect(main).to_contain_text("✖ 没通过")
    expect(main).to_contain_text("训练例句自己互相矛盾了")
    expect(zhao.page.get_by_role("button", name="让它回答所有职工")).to_have_count(0)
    assert live_name(workshop) == live
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}-\d+", candidate)
