"""Training data importer: reads the sentences of ``data/nlu`` once per training, with libyaml.

Rasa's own importer parses every file three times with a YAML parser written in Python and checks each
against its schema, which takes longer than the training (measured: 40 of 95 s with 9,800 sentences).
What the files must look like is checked by ``nlu.validation``, with Rasa's own reader, before they are
committed.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import yaml
from rasa.shared.exceptions import YamlSyntaxException
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.training_data import TrainingData

_YAML = {".yml", ".yaml"}


class SentenceImporter(RasaFileImporter):
    """Importer: as Rasa's, but the NLU data is read fast and only once."""

    @functools.cached_property
    def _sentences(self) -> TrainingData:
        files = [Path(file) for file in self._nlu_files]
        return TrainingData().merge(
            *(read_sentences(file) if file.suffix in _YAML else load_data(str(file)) for file in files)
        )

    def get_nlu_data(self, language: str | None = "en") -> TrainingData:
        """Return every training sentence (Rasa's importers around this one copy what they change)."""
        return self._sentences


class _Reader(RasaYAMLReader):
    def reads(self, string: str, **kwargs: Any) -> TrainingData:
        try:
            content = yaml.load(string, Loader=yaml.CSafeLoader) or {}
        except yaml.YAMLError as error:
            raise YamlSyntaxException(self.filename, error) from error
        self._parse_nlu(content.get("nlu"))
        return TrainingData(
            self.training_examples,
            self.entity_synonyms,
            self.regex_features,
            self.lookup_tables,
            content.get("responses"),
        )


def read_sentences(file: Path) -> TrainingData:
    """Return the sentences of a YAML file (raises ``RasaException`` where it is not what Rasa can read)."""
    reader = _Reader()
    reader.filename = str(file)
    return reader.reads(file.read_text("utf-8"))
