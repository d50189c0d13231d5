"""Crisis rules: nobody in danger is missed, and nobody who is merely tired is lectured."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from casework.crisis import MAX_ADVICE, REPEAT_WITHIN, CrisisLevel, CrisisRules
from casework.errors import KnowledgeError
from casework.knowledge import IntentKind, Knowledge

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
RULES = CrisisRules.load(KNOWLEDGE / "crisis.yml")
CASES: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("crisis_cases.yml").read_text(encoding="utf-8")
)
NOW = datetime(2026, 7, 20, 1, 30, tzinfo=UTC)
POSITIVE = [(kind, text) for kind, texts in CASES.items() if kind != "nothing" for text in texts]


@pytest.mark.parametrize(("kind", "text"), POSITIVE)
def test_somebody_in_danger_is_never_missed(kind: str, text: str) -> None:
    finding = RULES.detect(text)
    assert finding is not None
    assert finding.kind == kind


@pytest.mark.parametrize("text", CASES["nothing"])
def test_harmless_words_set_nothing_off(text: str) -> None:
    finding = RULES.detect(text)
    assert finding is None, f"{finding.kind}: {finding.rule}" if finding else ""


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert {kind: len(set(texts)) for kind, texts in CASES.items() if len(set(texts)) < 60} == {}
    assert len(set(CASES["nothing"])) >= 400
    assert len({text for texts in CASES.values() for text in texts}) == sum(map(len, CASES.values()))


def training_sentences() -> Iterator[tuple[str, str]]:
    """Every training sentence with its intent, without its fact marks; none was written for these rules."""
    for path in sorted((KNOWLEDGE.parent / "nlu").glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            for line in str(block.get("examples", "")).splitlines():
                text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line.removeprefix("- ").strip())
                if "intent" in block and text:
                    yield block["intent"], text


def test_most_sentences_of_people_in_danger_are_noticed_before_the_model_hears_them() -> None:
    heard: dict[str, list[bool]] = {}
    for intent, text in training_sentences():
        if intent.startswith("crisis_"):
            heard.setdefault(intent, []).append(RULES.detect(text) is not None)
    assert heard
    shares = {intent: sum(found) / len(found) for intent, found in heard.items()}
    assert {intent: share for intent, share in shares.items() if share < 0.7} == {}
    assert sum(shares.values()) / len(shares) >= 0.75


def test_hardly_any_other_sentence_gets_a_lecture() -> None:
    """Urgent advice stands instead of an answer, care before one. On 14,149 sentences, which the rules were
    tuned on: 0.16 % urgent, 0.30 % together. Near-misses they have not seen fare worse.
    """
    others = [text for intent, text in training_sentences() if not intent.startswith("crisis_")]
    found = [(finding, text) for text in others if (finding := RULES.detect(text)) is not None]
    instead = [text for finding, text in found if finding.level is CrisisLevel.URGENT]
    assert len(others) > 1000
    assert len(instead) <= 0.003 * len(others), instead
    assert len(found) <= 0.006 * len(others), found


def test_every_kind_has_an_intent_and_every_crisis_intent_a_kind() -> None:
    intents = Knowledge.load(KNOWLEDGE).intents.values()
    crisis = {intent.name: intent.topic for intent in intents if intent.kind is IntentKind.CRISIS}
    assert crisis == {f"crisis_{kind}": f"crisis.{kind}" for kind in RULES.kinds}
    assert set(CASES) == {*RULES.kinds, "nothing"}


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("不想活了", CrisisLevel.URGENT),
        ("日子过不下去了", CrisisLevel.CARE),
        ("老板要逼死我，天天睡不着", CrisisLevel.CARE),
        ("明天一起去堵门", CrisisLevel.CARE),
        ("要跟他同归于尽", CrisisLevel.URGENT),
        ("举报童工", CrisisLevel.CARE),
        ("14岁的妹妹被骗去ktv上班联系不上了", CrisisLevel.URGENT),
        ("我被骗了三万块", CrisisLevel.URGENT),
        ("交手续费才能领助学金", CrisisLevel.CARE),
    ],
)
def test_the_level_says_how_fast_help_must_come(text: str, level: CrisisLevel) -> None:
    finding = RULES.detect(text)
    assert finding is not None
    assert finding.level is level


def test_of_two_dangers_the_graver_is_answered() -> None:
    both = RULES.detect("老板打我，工友晕倒了叫不醒")
    assert both is not None
    assert both.kind == "medical"


def test_an_urgent_danger_comes_before_a_graver_kind_that_only_needs_care() -> None:
    finding = RULES.detect("我绝望了，主管把我按在沙发上摸我大腿")
    assert finding is not None
    assert (finding.kind, finding.level) == ("harassment", CrisisLevel.URGENT)


def test_a_harmless_word_does_not_hide_a_real_one_beside_it() -> None:
    finding = RULES.detect("累死了，热死了，跳槽也没用，我不想活了")
    assert finding is not None
    assert finding.kind == "self_harm"


def test_a_question_about_the_law_does_not_hide_the_wish_behind_it() -> None:
    finding = RULES.detect("自杀算不算工伤？反正我也不想活了")
    assert finding is not None
    assert finding.kind == "self_harm"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00\x01",
        "😀😀😀",
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "\ud83d",
        "？？？",
        "a" * 5000,
    ],
)
def test_strange_input_is_no_crisis_and_no_error(text: str) -> None:
    assert RULES.detect(text) is None


@pytest.mark.parametrize(
    "text", ["ｂｕ　ｘｉａｎｇ　ｈｕｏ", "不\u200b想\u200b活\u200b了", "不~想~活~了!!!", "不想活了😀"]
)
def test_width_and_noise_hide_nothing(text: str) -> None:
    finding = RULES.detect(text)
    assert finding is not None
    assert finding.kind == "self_harm"


def test_the_same_text_always_gives_the_same_finding() -> None:
    assert RULES.detect("不给钱就跳") == RULES.detect("不给钱就跳")


def best_of(runs: int, text: str) -> float:
    """The fastest of some runs in seconds: what the rules take, without what the machine does beside."""

    def once() -> float:
        begun = time.perf_counter()
        RULES.detect(text)
        return time.perf_counter() - begun

    return min(once() for _ in range(runs))


def test_an_ordinary_message_takes_less_than_a_millisecond() -> None:
    text = "俺在历下区一个工地干了仨月，老板说没钱一直拖着，打电话也不接了，工友们都说去投诉，我想问问咋办"
    assert best_of(50, text) < 0.001


@pytest.mark.parametrize("piece", ["我", "不给", "被打", "工资欠", "十五岁", "从楼上", "a.", "刚"])
def test_twenty_thousand_characters_do_not_stall_the_switchboard(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    assert best_of(2, text) < 3.0


def test_advice_is_said_in_full_once_and_in_short_after() -> None:
    first = RULES.advice("self_harm", last_kind=None, last_at=None, now=NOW)
    again = RULES.advice("self_harm", last_kind="self_harm", last_at=NOW - timedelta(minutes=5), now=NOW)
    assert len(again) < len(first) / 1.5
    assert RULES.advice("violence", last_kind="self_harm", last_at=NOW, now=NOW) != again
    assert RULES.advice("self_harm", last_kind="self_harm.care", last_at=NOW, now=NOW) == first, (
        "what was worry before is danger now and gets the whole advice"
    )
    later = RULES.advice("self_harm", last_kind="self_harm", last_at=NOW - REPEAT_WITHIN, now=NOW)
    assert later == first


@pytest.mark.parametrize("kind", RULES.kinds)
def test_advice_asks_whether_they_are_safe_and_names_a_number_that_helps_now(kind: str) -> None:
    for level in CrisisLevel:
        text = RULES.advice(kind, last_kind=None, last_at=None, now=NOW, level=level)
        assert len(text) <= MAX_ADVICE
        assert "？" in text
        assert re.search(r"110|120|12356", text)
        assert "12351" in text


def test_patterns_are_written_in_what_the_fold_gives() -> None:
    """A traditional or upper-case character in a pattern could never match; a missing one would be missed."""
    from opencc import OpenCC

    content = yaml.safe_load((KNOWLEDGE / "crisis.yml").read_text(encoding="utf-8"))
    patterns = str({name: part for name, part in content.items() if name != "fold"})
    characters = {character for character in patterns if "\u4e00" <= character <= "\u9fff"}
    unfolded = {character for character in characters if RULES.fold(character) != character}
    assert unfolded == set()
    to_traditional = OpenCC("s2t")
    written = {character: to_traditional.convert(character) for character in characters}
    missed = {
        traditional
        for simplified, traditional in written.items()
        if traditional not in characters and RULES.fold(traditional) != simplified
    }
    assert missed == set()


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ("12351。", "more than 120"),
        ("拨打96110。12351", "not in hotlines.yml"),
        ("没有号码。", "12351"),
    ],
)
def test_unusable_advice_is_refused_at_start(tmp_path: Path, broken: str, complaint: str) -> None:
    content = yaml.safe_load((KNOWLEDGE / "crisis.yml").read_text(encoding="utf-8"))
    broken = broken if complaint != "more than 120" else broken * 21
    content["kinds"]["fraud"]["advice"]["again"] = broken
    (tmp_path / "crisis.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    (tmp_path / "hotlines.yml").write_bytes((KNOWLEDGE / "hotlines.yml").read_bytes())
    with pytest.raises(KnowledgeError, match=rf"crisis\.yml: kinds\.fraud\.advice: again .*{complaint}"):
        CrisisRules.load(tmp_path / "crisis.yml")


@pytest.mark.parametrize("pattern", ["(", "a*", "<nothere>死", "<no2>死"])
def test_a_pattern_that_cannot_work_is_refused_at_start(tmp_path: Path, pattern: str) -> None:
    content = yaml.safe_load((KNOWLEDGE / "crisis.yml").read_text(encoding="utf-8"))
    content["kinds"]["minor"]["rules"][0]["any"].append(pattern)
    (tmp_path / "crisis.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    (tmp_path / "hotlines.yml").write_bytes((KNOWLEDGE / "hotlines.yml").read_bytes())
    with pytest.raises(KnowledgeError, match=r"crisis\.yml: kinds\.minor\.rules\[1\]"):
        CrisisRules.load(tmp_path / "crisis.yml")
