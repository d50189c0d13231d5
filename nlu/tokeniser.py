"""Jieba tokeniser with the union's own dictionary, in an instance of its own.

Rasa's stock component loads user dictionaries into the process-global jieba, so two models mix on
hot reload. Here every component owns a ``jieba.Tokenizer`` and the dictionary's text travels inside
the model: a model keeps cutting the way it was trained to.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import jieba
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import TOKENS_NAMES
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.clauses import CLAUSES, Clause, split_clauses
from nlu.fingerprints import source_digest

CONCEPT = "concept"
"""Key of a token's data that holds the dictionary's concept for the word."""
DICTIONARY_FILE = "union.txt"

logging.getLogger("jieba").setLevel(logging.WARNING)


class UnionDictionary:
    """Union dictionary: the words of trade-union life, each with a frequency and the concept it stands for.

    One ``word frequency concept`` a line (jieba's user-dictionary format, its tag column holding the
    concept). Raises ``ValueError`` naming the line that breaks the format.
    """

    def __init__(self, content: str) -> None:
        self.content = content
        self.words: dict[str, tuple[int, str]] = {}
        for number, line in enumerate(content.splitlines(), start=1):
            parts = line.split()
            if not parts or parts[0].startswith("#"):
                continue
            if len(parts) != 3 or not parts[1].isdigit() or int(parts[1]) == 0:
                raise ValueError(f"dictionary line {number}: expected 'word frequency concept', got {line!r}")
            self.words[lower(parts[0])] = (int(parts[1]), parts[2])

    @classmethod
    def read(cls, path: str | Path) -> UnionDictionary:
        """Read a dictionary file (UTF-8)."""
        return cls(Path(path).read_text("utf-8"))

    def new_jieba(self) -> jieba.Tokenizer:
        """Return a jieba instance of its own that knows these words; nothing global changes."""
        instance = jieba.Tokenizer()
        # Done by hand instead of initialize(): that one shares a cache file in the temporary folder and logs.
        instance.FREQ, instance.total = instance.gen_pfdict(instance.get_dict_file())
        instance.initialized = True
        for word, (frequency, _) in self.words.items():
            instance.add_word(word, frequency)
        return instance

    def concept(self, word: str) -> str | None:
        """Return the concept ``word`` stands for, or None for an ordinary word."""
        known = self.words.get(word)
        return known[1] if known else None


def lower(text: str) -> str:
    """Lower-case without changing the length, so that offsets hold (``İ`` stays as it is)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


class UnionJiebaTokenizer(Tokenizer):
    """Pipeline component: cuts the text into words; each knows the union's concept it stands for.

    At serving time it also cuts every clause of a longer text, for the components that look for
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
        return source_digest("nlu.tokeniser", "nlu.clauses", files=(path,))

    def train(self, training_data: TrainingData) -> Resource:
        """Put the dictionary into the model."""
        with self._model_storage.write_to(self._resource) as folder:
            (folder / DICTIONARY_FILE).write_text(self._dictionary.content, "utf-8")
        return self._resource

    def cut(self, text: str) -> list[Token]:
        """Return the words of ``text`` (lower-cased, marks and spaces left out)."""
        tokens = []
        for word, start, end in self._jieba.tokenize(lower(text), HMM=False):
            if any(char.isalnum() for char in word):
                concept = self._dictionary.concept(word)
                tokens.append(Token(word, start, end, data={CONCEPT: concept} if concept else None))
        return tokens

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """Return the words of one attribute of ``message``."""
        return self.cut(message.get(attribute))

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the words of the text, and of each of its clauses where there are several."""
        for message in messages:
            text = message.get(TEXT)
            if not text or text.startswith("/"):
                continue
            tokens = self.cut(text)
            message.set(TOKENS_NAMES[TEXT], tokens)
            clauses = split_clauses(text)
            if len(clauses) > 1:
                message.set(CLAUSES, [_with_tokens(clause, tokens) for clause in clauses])
        return messages


def _with_tokens(clause: Clause, tokens: list[Token]) -> Clause:
    end = clause.start + len(clause.text)
    return Clause(clause.text, clause.start, [token for token in tokens if clause.start <= token.start < end])
