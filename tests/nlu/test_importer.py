"""Our importer reads what Rasa's own reads, once, and complains about what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from rasa.shared.exceptions import YamlSyntaxException
from rasa.shared.importers.rasa import RasaFileImporter

from nlu.importer import SentenceImporter

SENTENCES = """version: "3.1"
nlu:
  - intent: ask_overtime
    examples: |
      - 加班费怎么算
      - 一个月[5800](monthly_wage)，天天加班
  - intent: greet
    examples: |
      - 你好
"""


def make_importers(folder: Path) -> tuple[SentenceImporter, RasaFileImporter]:
    paths = [str(folder)]
    return SentenceImporter(training_data_paths=paths), RasaFileImporter(training_data_paths=paths)


def test_it_reads_the_same_sentences_intents_and_marks_as_rasas_own(tmp_path: Path) -> None:
    (tmp_path / "labour.yml").write_text(SENTENCES, "utf-8")
    ours, theirs = (importer.get_nlu_data() for importer in make_importers(tmp_path))
    assert [message.data for message in ours.training_examples] == [
        message.data for message in theirs.training_examples
    ]
    assert ours.entity_examples[0].get("entities")[0]["value"] == "5800"


def test_the_files_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "labour.yml").write_text(SENTENCES, "utf-8")
    importer, _ = make_importers(tmp_path)
    first = importer.get_nlu_data()
    (tmp_path / "labour.yml").unlink()
    assert importer.get_nlu_data() is first


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.yml"
    file.write_text(SENTENCES, "utf-8")
    importer, _ = make_importers(tmp_path)
    file.write_text("nlu: [unclosed", "utf-8")
    with pytest.raises(YamlSyntaxException, match=r"broken\.yml"):
        importer.get_nlu_data()
