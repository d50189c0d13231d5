"""Text normaliser: one spelling for what members type in many.

``normalise`` is pure and idempotent; :class:`TextNormaliser` puts it in front of the pipeline, in
training and when serving, so that every later component sees the same text. Offsets of facts
refer to the normalised text.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib import resources
from typing import Any

from opencc import OpenCC
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.fingerprints import source_digest

URL_WORD = "网址"
EMAIL_WORD = "邮箱"
MEANINGFUL_EMOJI = "🔪🪦💀☠🩸💊🆘🔥😭😡👍👎👌🙏"
"""Kept because they change what is meant: danger, grief, anger, yes, no, thanks."""
MAX_CHARACTERS = 4000
"""Longer texts are cut here: nobody's question starts later, and parsing stays fast."""

_URL = re.compile(
    r"(?:https?://|www\.)[A-Za-z0-9._~:/?#@!$&'()*+;=%-]+"
    r"|(?<![A-Za-z0-9@.-])(?:[A-Za-z0-9-]+\.)+(?:com|cn|net|org|gov|edu)(?![A-Za-z0-9])(?:/[A-Za-z0-9._~:/?#@&=%-]*)?",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
_EMOJI = re.compile(
    f"(?![{MEANINGFUL_EMOJI}])[\U0001f000-\U0001faff\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\u3030\u303d]"
)
_WHITESPACE = re.compile(r"\s+")
_SPACED_OUT = re.compile(r"(?<![\u4e00-\u9fff])(?:[\u4e00-\u9fff] ){2,}[\u4e00-\u9fff](?![\u4e00-\u9fff])")
_DOTS = re.compile(r"\.{2,}|…+")
_REPEATED_MARK = re.compile(r"([^\w\s.])\1+")
_REPEATED_PARTICLE = re.compile(r"([啊呀哈呵嗯哦额呜嘿唉诶呢吧嘛啦噢喂嗷])\1{2,}")
# Chinese digits and units are left alone: a spoken phone number says 零零零零.
_REPEATED_LETTER = re.compile(r"((?![零〇一二两三四五六七八九十百千万幺])[^\W\d_])\1{2,}")
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"})
_PASSES = 6
_CHUNK = 200


def normalise(text: str) -> str:
    """Return ``text`` in the one spelling the pipeline works on (idempotent, at most 4000 characters).

    Full-width to half-width and other compatibility forms (NFKC), traditional to simplified,
    control and zero-width characters dropped, addresses replaced by a word, decorative emoji by a
    space, repeated letters and marks squeezed, whitespace collapsed. Never starts with ``/``,
    so a member's own words cannot become a command.
    """
    text = text[:MAX_CHARACTERS]
    for _ in range(_PASSES):
        once = _normalise_once(text)
        if once == text:
            break
        text = once
    return text


def _normalise_once(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    text = "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char) not in _DROPPED_CATEGORIES
    )
    text = _to_simplified(text)
    text = _URL.sub(URL_WORD, _EMAIL.sub(EMAIL_WORD, text))
    text = _EMOJI.sub(" ", text)
    text = _WHITESPACE.sub(" ", text)
    text = _SPACED_OUT.sub(lambda match: match.group().replace(" ", ""), text)
    text = _DOTS.sub("…", text)
    text = _REPEATED_MARK.sub(r"\1", text)
    text = _REPEATED_PARTICLE.sub(r"\1", text)
    text = _REPEATED_LETTER.sub(r"\1\1", text)
    return text.lstrip(" /").rstrip()[:MAX_CHARACTERS]


def _to_simplified(text: str) -> str:
    traditional = _traditional_characters()
    if traditional.isdisjoint(text):
        return text
    converter = _converter()
    # OpenCC's parse tree recurses once per character: long runs without punctuation are cut.
    chunks = (text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK))
    return "".join(chunk if traditional.isdisjoint(chunk) else converter.convert(chunk) for chunk in chunks)


@lru_cache(maxsize=1)
def _converter() -> OpenCC:
    return OpenCC("t2s")


@lru_cache(maxsize=1)
def _traditional_characters() -> frozenset[str]:
    table = resources.files("opencc").joinpath("dictionary", "TSCharacters.txt").read_text("utf-8")
    pairs = (line.split("\t") for line in table.splitlines() if "\t" in line)
    return frozenset(old for old, new in pairs if old not in new.split())


class TextNormaliser(GraphComponent):
    """Pipeline component that replaces a message's text by its normalised form."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TextNormaliser:
        """Create the component; it has no settings and nothing to store."""
        return cls()

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Make Rasa's training cache notice a change of the rules above."""
        return source_digest("nlu.normaliser")

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Normalise every training sentence (entity marks keep their old offsets; nothing trains on them)."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Normalise the text of ``messages`` in place; payloads (``/intent{…}``) stay as they are."""
        for message in messages:
            text = message.get(TEXT)
            if text and not text.startswith("/"):
                message.set(TEXT, normalise(text), add_to_output=True)
        return messages
