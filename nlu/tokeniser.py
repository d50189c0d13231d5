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

from nlu import ahead
from nlu.clauses import CLAUSES, split_clauses
from nlu.cutter import Cutter, Piece
from nlu.dictionary import UnionDictionary
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
        self._cutter = Cutter(dictionary)

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
        tokeniser = cls(config, model_storage, resource, dictionary)
        ahead.wait()
        if not ahead.PREPARED:  # serving: the first member shall not wait for jieba
            _ = tokeniser._cutter.jieba
        return tokeniser

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Make Rasa's training cache notice a changed dictionary."""
        path = {**cls.get_default_config(), **config}["dictionary"]
        modules = (
            "nlu.tokeniser",
            "nlu.cutter",
            "nlu.clauses",
            "nlu.courtesy",
            "nlu.dictionary",
            "nlu.pinyin",
        )
        return source_digest(*modules, files=(path,))

    def train(self, training_data: TrainingData) -> Resource:
        """Put the dictionary into the model."""
        with self._model_storage.write_to(self._resource) as folder:
            (folder / DICTIONARY_FILE).write_text(self._cutter.dictionary.content, "utf-8")
        return self._resource

    def cut(self, text: str) -> list[Token]:
        """Return the words of ``text`` (lower-cased, marks and spaces left out)."""
        return [Word(*piece) for piece in self._cutter.words(text)]

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """Return the words of one attribute of ``message``; of its text, the concepts as well."""
        if attribute != TEXT:
            return self.cut(message.get(attribute))
        return [Word(*piece) for piece in self._pieces(message)]

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the words of the text, and of each of its clauses where there are several."""
        for message in messages:
            text = message.get(TEXT)
            if not text or text.startswith("/"):
                continue
            pieces = self._pieces(message)
            message.set(TOKENS_NAMES[TEXT], [Word(*piece) for piece in pieces])
            clauses = split_clauses(text)
            if len(clauses) > 1:
                message.set(CLAUSES, [self._clause(clause.text, clause.start, pieces) for clause in clauses])
        return messages

    def _pieces(self, message: Message) -> list[Piece]:
        """Cut the text of ``message``, or take what was cut ahead; its sample is set, its words come back."""
        text = message.get(TEXT)
        prepared = ahead.PREPARED.get((self._cutter.dictionary.digest, text))
        pieces, sample = prepared or self._cutter.cut(text)
        message.set(SAMPLE, sample)
        return pieces

    def _clause(self, text: str, start: int, pieces: list[Piece]) -> Sample:
        end = start + len(text)
        return self._cutter.sample(text, start, [piece for piece in pieces if start <= piece[1] < end])
