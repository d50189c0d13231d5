"""Jieba tokeniser with the union's own dictionary, in an instance of its own.

Rasa's stock component loads user dictionaries into the process-global jieba, so two models mix on
hot reload. Here every component owns a ``jieba.Tokenizer`` and the dictionary's text travels inside
the model: a model keeps cutting the way it was trained to.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import TOKENS_NAMES
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.clauses import CLAUSES, split_clauses
from nlu.courtesy import courtesy_length
from nlu.dictionary import UnionDictionary, lower
from nlu.fingerprints import Word, source_digest
from nlu.ngrams import Sample

SAMPLE = "sample"
"""Message property with what the featuriser needs of the text."""
DICTIONARY_FILE = "union.txt"


class UnionJiebaTokenizer(Tokenizer):
    """Pipeline component: cuts the text into words and finds the union's concepts in it.

    When serving it also does so for every clause of a longer text, for the components that look for
    several topics in one message.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """``dictionary``: path of the union's dictionary, read when training."""
        return {
            "dictionary": "data/knowledge/dictionary/union.txt",
            "intent_tokenization_flag": False,
            "intent_split_symbol": "_",
        }

    @staticmethod
    def supported_languages() -> list[str] | None:
        """Chinese only."""
        return ["zh"]

    @staticmethod
    def required_packages() -> list[str]:
        """Jieba."""
        return ["jieba"]

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        dictionary: UnionDictionary,
    ) -> None:
        super().__init__({**self.get_default_config(), **config})
        self._model_storage = model_storage
        self._resource = resource
        self._dictionary = dictionary
        self._jieba = dictionary.new_jieba()

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> UnionJiebaTokenizer:
        """Create the component for training, reading the dictionary file."""
        path = {**cls.get_default_config(), **config}["dictionary"]
        return cls(config, model_storage, resource, UnionDictionary.read(path))

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> UnionJiebaTokenizer:
        """Load the component with the dictionary its model was trained with."""
        with model_storage.read_from(resource) as folder:
            dictionary = UnionDictionary.read(folder / DICTIONARY_FILE)
        return cls(config, model_storage, resource, dictionary)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Make Rasa's training cache notice a changed dictionary."""
        path = {**cls.get_default_config(), **config}["dictionary"]
        modules = ("nlu.tokeniser", "nlu.clauses", "nlu.courtesy", "nlu.dictionary", "nlu.pinyin")
        return source_digest(*modules, files=(path,))

    def train(self, training_data: TrainingData) -> Resource:
        """Put the dictionary into the model."""
        with self._model_storage.write_to(self._resource) as folder:
            (folder / DICTIONARY_FILE).write_text(self._dictionary.content, "utf-8")
        return self._resource

    def cut(self, text: str) -> list[Token]:
        """Return the words of ``text`` (lower-cased, marks and spaces left out)."""
        return [
            Word(word, start, end)
            for word, start, end in self._jieba.tokenize(lower(text), HMM=False)
            if any(char.isalnum() for char in word)
        ]

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """Return the words of one attribute of ``message``; of its text, the concepts as well."""
        tokens = self.cut(message.get(attribute))
        if attribute == TEXT:
            message.set(SAMPLE, self._sample(message.get(TEXT), 0, tokens))
        return tokens

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the words of the text, and of each of its clauses where there are several."""
        for message in messages:
            text = message.get(TEXT)
            if not text or text.startswith("/"):
                continue
            tokens = self.tokenize(message, TEXT)
            message.set(TOKENS_NAMES[TEXT], tokens)
            clauses = split_clauses(text)
            if len(clauses) > 1:
                message.set(CLAUSES, [self._clause(clause.text, clause.start, tokens) for clause in clauses])
        return messages

    def _clause(self, text: str, start: int, tokens: list[Token]) -> Sample:
        end = start + len(text)
        return self._sample(text, start, [token for token in tokens if start <= token.start < end])

    def _sample(self, text: str, start: int, tokens: list[Token]) -> Sample:
        """What the featuriser needs of a text that begins at ``start`` of the message (courtesy left out)."""
        lowered = lower(text)
        skipped = courtesy_length(lowered)
        matter = lowered[skipped:]
        words = tuple(token.text for token in tokens if token.start >= start + skipped)
        return Sample(matter, words, tuple(self._dictionary.concepts(matter, words)))
