"""Bad lines are named with what is wrong; good ones are read as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nlu.evaluation import BadRows, read_rows


def write(folder: Path, *lines: Any) -> Path:
    file = folder / "mine.jsonl"
    file.write_text(
        "\n".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines),
        "utf-8",
    )
    return file


def test_rows_keep_what_they_say_and_learn_their_source(tmp_path: Path) -> None:
    file = write(
        tmp_path, {"text": "年假", "topic": "labour.leave", "alt": ["labour.other"], "x": 1}, "", "  "
    )
    (row,) = read_rows(file)
    assert row == {"text": "年假", "topic": "labour.leave", "alt": ["labour.other"], "x": 1, "source": "mine"}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{text: 1}", "line 2: not JSON"),
        ("[1]", "line 2: expected an object with text and topic, not list"),
        ({"topic": "a"}, "line 2: text is missing"),
        ({"text": "年假"}, "line 2: topic is missing"),
        ({"text": " ", "topic": "a"}, "text must be a text that is not empty"),
        ({"text": "年假", "topic": None}, "topic must be a text that is not empty, not None"),
        ({"text": "年假", "topic": "a", "alt": [1]}, "alt must be a topic, a list of topics or null"),
        ({"text": "年假", "topic": "a", "topics": "a"}, "topics must be a list of topics"),
        ({"text": "年假", "topic": "a", "facts": ["a"]}, "facts must map names to values"),
        ({"text": "年假", "topic": "a", "facts": {"phone": None}}, "facts must map names to values"),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong(tmp_path: Path, line: Any, complaint: str) -> None:
    file = write(tmp_path, {"text": "年假", "topic": "a"}, line)
    with pytest.raises(BadRows) as caught:
        read_rows(file)
    assert complaint in str(caught.value)
    assert "mine.jsonl" in str(caught.value)


def test_all_bad_lines_are_named_at_once_but_not_more_than_ten(tmp_path: Path) -> None:
    with pytest.raises(BadRows, match="line 10:") as caught:
        read_rows(write(tmp_path, *["{"] * 12))
    assert "line 11" not in str(caught.value)
    assert "2 more lines" in str(caught.value)


def test_a_missing_an_empty_and_a_garbled_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(BadRows, match="cannot read"):
        read_rows(tmp_path / "none.jsonl")
    with pytest.raises(BadRows, match="has no rows"):
        read_rows(write(tmp_path, ""))
    garbled = tmp_path / "garbled.jsonl"
    garbled.write_bytes("年假".encode("gbk"))
    with pytest.raises(BadRows, match="cannot read"):
        read_rows(garbled)


def test_rows_of_facts_need_facts_and_no_topic(tmp_path: Path) -> None:
    (row,) = read_rows(write(tmp_path, {"text": "年假", "facts": {}}), topics_needed=False)
    assert row["facts"] == {}
    with pytest.raises(BadRows, match="facts is missing"):
        read_rows(write(tmp_path, {"text": "年假", "topic": "a"}), topics_needed=False)
