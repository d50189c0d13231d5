"""Inbox grouping: which groups say nearly the same as a message.

The same are words that differ in width, blanks, punctuation and digits alone; nearly the same those that
share most of their runs of three characters. Short ones are only ever the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from casework.sample_lint import NearIndex, bare

NEAR = 0.6
"""Likeness (Jaccard) from which two messages say nearly the same."""
SHORT = 8
"""Characters below which a text is too short to be like another one."""
_DIGITS = re.compile(r"\d+")


def key_of(text: str) -> str:
    """The words as they are compared, every number alike; two with the same key say the same."""
    return bare(_DIGITS.sub("0", unicodedata.normalize("NFKC", text)))


class GroupIndex:
    """Groups by their words; takes new ones in while it is asked."""

    def __init__(self, groups: Iterable[tuple[int, str]]) -> None:
        """``groups``: (id, words)."""
        listed = list(groups)
        self._ids = [group_id for group_id, _ in listed]
        self._index = NearIndex((key_of(text) for _, text in listed), NEAR)

    def add(self, group_id: int, text: str) -> None:
        """Take a group in."""
        self._ids.append(group_id)
        self._index.add(key_of(text))

    def like(self, text: str) -> list[int]:
        """The groups that say the same, else those that say nearly the same, the likest first."""
        key = key_of(text)
        if same := self._index.same(key):
            return [self._ids[place] for place in same]
        if len(key) < SHORT:
            return []
        near = self._index.near(key)
        return [self._ids[place] for _, place in near if len(self._index.texts[place]) >= SHORT]
