"""Reading: a text whose spaces mean nothing any more, and the way back to where each character stood.

Members type a space between all words (上班 8 年 零 6 个月), or one where others put a comma (今天37度
预报说后天40度). The first are left out, the second become commas.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from nlu.facts.model import Fact

_HAN = r"[\u4e00-\u9fff]"
_BETWEEN_LETTERS = re.compile(r"(?<=[A-Za-z0-9]) (?=[A-Za-z0-9])")
_BEFORE_A_UNIT = re.compile(r"(?<=\d) (?=[年月日号个元块万千百度天岁][^ ])")
_HAN_TOKEN = re.compile(rf"{_HAN}+")
_FEWEST_TOKENS, _LONGEST_WORD = 4, 2
_LEADS_ON = re.compile(
    r"(?:工资|月薪|底薪|个月|每月|xin|[月欠我俺是叫为在到从共计]|"
    r"名称|姓名|单位|公司|店名|日期|时间|电话|地址)$"
)
"""Words after which a space is no comma: what follows belongs to them (月工资 六千五)."""


@dataclass(frozen=True)
class Reading:
    """A text to read facts from; ``origins[i]`` is where its character ``i`` stands in what was written."""

    text: str
    written: str
    origins: Sequence[int]

    @classmethod
    def of(cls, written: str) -> Reading:
        """Read a normalised text (single spaces only)."""
        if " " not in written:
            return cls(written, written, range(len(written)))
        kept = [True] * len(written)
        characters = list(written)
        if _is_spelt_out(written):
            for match in re.finditer(" ", written):
                kept[match.start()] = bool(_BETWEEN_LETTERS.match(written, match.start()))
        else:
            for match in _BEFORE_A_UNIT.finditer(written):
                kept[match.start()] = False
            for position in _commas(written):
                characters[position] = ","
        origins = [position for position, stays in enumerate(kept) if stays]
        return cls("".join(characters[position] for position in origins), written, origins)

    def as_written(self, fact: Fact) -> Fact:
        """Return a fact found in the reading with its place in the text as written."""
        start, end = self.origins[fact.start], self.origins[fact.end - 1] + 1
        return replace(fact, start=start, end=end, text=self.written[start:end])


def _is_spelt_out(written: str) -> bool:
    tokens = written.split(" ")
    words = [len(token) for token in tokens if _HAN_TOKEN.fullmatch(token)]
    return len(tokens) >= _FEWEST_TOKENS and bool(words) and median(words) <= _LONGEST_WORD


def _commas(written: str) -> list[int]:
    """Return where a space stands between two clauses of four characters and more."""
    tokens = written.split(" ")
    found, position = [], -1
    for token, following in pairwise(tokens):
        position += len(token) + 1
        long_enough = len(token) > 3 and len(following) > 3
        chinese = _HAN_TOKEN.search(token) and _HAN_TOKEN.search(following)
        if long_enough and chinese and not _LEADS_ON.search(token):
            found.append(position)
    return found
