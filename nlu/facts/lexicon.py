"""Lexicon: the extractor's own words, read once from ``words.yml`` beside it."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Any

import yaml


@lru_cache(maxsize=1)
def lexicon() -> dict[str, Any]:
    """Return the content of ``words.yml``."""
    content: dict[str, Any] = yaml.safe_load(
        resources.files("nlu.facts").joinpath("words.yml").read_text("utf-8")
    )
    return content


def any_of(words: str) -> str:
    """Return a pattern for any of some words separated by spaces, the longest first."""
    return "|".join(sorted(words.split(), key=len, reverse=True))
