"""The pages of the training sentences: looking, changing, taking back, and files out and in."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from bot.house import House
from bot.workbench.examples import data_nlu
from casework import model_registry, samples
from casework.sample_files import as_yaml, name_of, read_blocks
from casework.samples import TrainingSet
from casework.tables import StaffRole
from tests.bot.desk.conftest import DeskClient, SignIn

HTML = {"Accept": "text/html"}
ARREARS = "ask_wage_arrears"
HOME = "/workbench/examples"
SENTENCE = "[示例厂](employer)连着三回没按点发薪了呀"
SCORES: dict[str, Any] = {
    "per_topic": {"labour.wage_arrears": {"recall": 0.87, "precision": 0.93, "f1": 0.9, "support": 30}},
    "confusions": [
        {"topic": "labour.wage_arrears", "taken_for": "labour.contract", "times": 3},
        {"topic": "labour.wage_arrears", "taken_for": "None", "times": 2},
    ],
}


@pytest.fixture
async def boss(desk_client: SignIn) -> DeskClient:
    return await desk_client(StaffRole.SUPERVISOR)


async def current(house: House) -> TrainingSet:
    async with house.database.read() as session:
        return await samples.current(session, data_nlu(house))


async def live(house: House) -> None:
    now = house.clock.now()
    async with house.database.transaction() as session:
        version = await model_registry.register(session, sha256="0" * 64, size=1, now=now, scores=SCORES)
        await model_registry.adopt(session, version, now, "first")


async def added(boss: DeskClient, text: str = SENTENCE) -> str:
    """Add a sentence; the address of the page that says so."""
    answer = await boss.post(f"{HOME}/{ARREARS}/add", data={"text": text}, headers=HTML)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_the_list_shows_every_intent_with_counts_and_the_live_figures(
    house: House, boss: DeskClient
) -> None:
    before = (await boss.page(HOME)).text
    assert "还没有模型版本" in before
    await live(house)
    await added(boss)
    shown = (await boss.page(HOME)).text
    training_set = await current(house)
    for name, intent in house.knowledge.intents.items():
        assert (f'href="{HOME}/{name}"' in shown) == intent.trained
    assert f"共 {len(training_set)} 句" in shown
    row = shown[shown.index(f'href="{HOME}/{ARREARS}"') :].split("</tr>")[0]
    assert "87%" in row
    assert "93%" in row
    assert house.knowledge.articles["labour.contract"].label in row
    assert str(len(training_set.sentences[ARREARS])) in row


async def test_words_are_found_whatever_is_marked_in_between(house: House, boss: DeskClient) -> None:
    await added(boss)
    shown = (await boss.page(HOME, params={"q": "示例厂 连着三回"})).text
    assert "：1 句" in shown
    assert f"{HOME}/{ARREARS}/{name_of(SENTENCE)}" in shown
    assert "没有找到" in (await boss.page(HOME, params={"q": "绝没有这样的话"})).text


async def test_an_intent_shows_its_sentences_and_what_members_are_told(
    house: House, boss: DeskClient
) -> None:
    shown = (await boss.page(f"{HOME}/{ARREARS}")).text
    training_set = await current(house)
    assert name_of(training_set.sentences[ARREARS][0]) in shown
    assert "第 1 页，共" in shown
    assert name_of(training_set.sentences[ARREARS][100]) not in shown
    assert (
        name_of(training_set.sentences[ARREARS][100])
        in (await boss.page(f"{HOME}/{ARREARS}", params={"page": 2})).text
    )
    assert house.knowledge.articles["labour.wage_arrears"].short[:12] in shown
    talk = (await boss.page(f"{HOME}/greet")).text
    assert "我是工会的“娘家人”小助手" in talk
    assert "找人工" in talk
    assert "由程序办理" in (await boss.page(f"{HOME}/request_case_urge")).text
    assert "12355" in (await boss.page(f"{HOME}/crisis_minor")).text


@pytest.mark.parametrize("path", ["explain_claim", "no_such_intent", f"{ARREARS}/0123456789abcdef"])
async def test_what_has_no_sentences_is_not_found(boss: DeskClient, path: str) -> None:
    assert (await boss.page(f"{HOME}/{path}")).status_code == 404


async def test_a_sentence_is_added_shown_first_and_undone(house: House, boss: DeskClient) -> None:
    where = await added(boss)
    said = (await boss.page(where)).text
    assert "加上了" in said
    undo = re.search(r'action="([^"]+/undo)"', said)
    assert undo is not None
    newest = (await boss.page(f"{HOME}/{ARREARS}", params={"order": "new"})).text
    assert newest.index("连着三回没按点发薪了呀") < newest.index(
        name_of((await current(house)).sentences[ARREARS][0])
    )
    answer = await boss.post(undo[1], headers=HTML)
    assert answer.headers["location"] == f"{HOME}/history?done=undone"
    assert (await current(house)).find(SENTENCE) is None


async def test_a_refused_sentence_is_shown_again_with_the_reason(house: House, boss: DeskClient) -> None:
    text = "我电话13800138000，欠我钱"
    answer = await boss.post(f"{HOME}/{ARREARS}/add", data={"text": text}, headers=HTML)
    assert answer.status_code == 422
    assert text in answer.text
    assert "请换成 [姓名]" in answer.text
    there = (await current(house)).sentences["greet"][0]
    answer = await boss.post(f"{HOME}/{ARREARS}/add", data={"text": there}, headers=HTML)
    assert house.knowledge.intents["greet"].label in answer.text.partition('role="alert"')[2]
    script = await boss.post(f"{HOME}/{ARREARS}/add", data={"text": there})
    assert script.json()["error"]["details"] == [{"field": "duplicate"}]


async def test_a_sentence_is_edited_moved_and_removed(house: House, boss: DeskClient) -> None:
    await added(boss)
    new = SENTENCE.replace("三回", "四回")
    address = f"{HOME}/{ARREARS}/{name_of(SENTENCE)}"
    assert SENTENCE in (await boss.page(address)).text
    answer = await boss.post(f"{address}/edit", data={"text": SENTENCE}, headers=HTML)
    assert answer.status_code == 422
    answer = await boss.post(f"{address}/edit", data={"text": new}, headers=HTML)
    assert answer.status_code == 303
    assert (await current(house)).intent_of(new) == ARREARS
    address = f"{HOME}/{ARREARS}/{name_of(new)}"
    assert (await boss.post(f"{address}/move", data={"to": "nowhere"}, headers=HTML)).status_code == 422
    assert (await boss.post(f"{address}/move", data={"to": "ask_contract"}, headers=HTML)).status_code == 303
    assert (await current(house)).intent_of(new) == "ask_contract"
    address = f"{HOME}/ask_contract/{name_of(new)}"
    assert (await boss.post(f"{address}/remove", headers=HTML)).status_code == 303
    assert (await current(house)).find(new) is None
    shown = (await boss.page(f"{HOME}/history", params={"intent": "ask_contract"})).text
    assert boss.staff.display_name in shown
    assert shown.count("/undo") == 2


async def test_history_says_who_and_takes_back_only_the_last(house: House, boss: DeskClient) -> None:
    await added(boss)
    await boss.post(f"{HOME}/{ARREARS}/{name_of(SENTENCE)}/move", data={"to": "ask_contract"}, headers=HTML)
    shown = (await boss.page(f"{HOME}/history")).text
    second, first = re.findall(r'action="([^"]+/undo)"', shown)
    refused = await boss.post(first, headers=HTML)
    assert refused.status_code == 409
    assert "请从最后一次改动撤起" in refused.text
    await boss.post(second, headers=HTML)
    assert (await boss.post(second.replace("undo", "redo"), headers=HTML)).status_code == 303
    assert (await current(house)).intent_of(SENTENCE) == "ask_contract"


async def test_a_file_is_looked_at_and_then_taken_in(house: House, boss: DeskClient) -> None:
    there = (await current(house)).sentences["greet"][0]
    content = as_yaml({ARREARS: [SENTENCE, there, "我电话13800138000，欠我钱"]})
    files = {"file": ("更多.yml", content.encode(), "application/yaml")}
    looked = await boss.post(f"{HOME}/import", files=files, headers=HTML)
    assert "新的 <strong>1</strong> 句，要挪的 <strong>1</strong> 句" in looked.text
    assert "不收的 <strong>1</strong> 句" in looked.text
    assert (await current(house)).find(SENTENCE) is None
    held = re.search(r'name="content"[^>]*>\n(.*?)</textarea>', looked.text, re.DOTALL)
    assert held is not None
    sent = {"content": unescape(held[1]).replace("\n", "\r\n"), "note": "示例"}
    taken = await boss.post(f"{HOME}/import/take", data=sent, headers=HTML)
    assert taken.headers["location"] == f"{HOME}/history?done=imported"
    training_set = await current(house)
    assert training_set.intent_of(there) == training_set.intent_of(SENTENCE) == ARREARS
    exported = await boss.get(f"{HOME}/export", params={"intent": ARREARS})
    assert "attachment" in exported.headers["content-disposition"]
    assert read_blocks("x", exported.content) == {ARREARS: training_set.sentences[ARREARS]}


async def test_the_whole_set_is_exported_and_comes_back_unchanged(house: House, boss: DeskClient) -> None:
    exported = (await boss.get(f"{HOME}/export")).content
    assert read_blocks("x", exported) == (await current(house)).sentences
    looked = await boss.post(f"{HOME}/import", files={"file": ("all.yml", exported)}, headers=HTML)
    assert "没有要导入的" in looked.text


async def test_a_file_with_synonyms_is_refused_with_its_line(boss: DeskClient) -> None:
    assert (await boss.page(f"{HOME}/import")).status_code == 200
    content = b"nlu:\n- synonym: x\n  examples: |\n    - y\n"
    refused = await boss.post(f"{HOME}/import", files={"file": ("x.yml", content)}, headers=HTML)
    assert refused.status_code == 422
    assert "第 2 行有“synonym”" in refused.text


@pytest.mark.parametrize("role", [StaffRole.AGENT, StaffRole.AUDITOR])
async def test_who_does_not_teach_sees_none_of_it(desk_client: SignIn, role: StaffRole) -> None:
    somebody = await desk_client(role)
    for path in ("", "/history", "/import", "/export", f"/{ARREARS}"):
        assert (await somebody.page(f"{HOME}{path}")).status_code == 403
    assert (await somebody.post(f"{HOME}/{ARREARS}/add", data={"text": SENTENCE})).status_code == 403


async def test_a_form_without_its_token_changes_nothing(house: House, boss: DeskClient) -> None:
    del boss.headers["X-CSRF-Token"]
    assert (await boss.post(f"{HOME}/{ARREARS}/add", data={"text": SENTENCE})).status_code == 403
    assert (await current(house)).find(SENTENCE) is None
