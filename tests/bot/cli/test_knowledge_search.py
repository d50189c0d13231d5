"""niangjia knowledge search: the nearest articles with their scores."""

from __future__ import annotations

import re

import pytest

from casework.database import Database
from tests.bot.cli.test_knowledge import installation, run

__all__ = ["installation"]


@pytest.mark.usefixtures("installation")
def test_the_nearest_articles_are_printed_with_their_scores() -> None:
    lines = run("search", "包工头拖着工钱不发", "--most", "2").splitlines()
    assert re.match(r" *\d+\.\d\d  labour\.wage_arrears  ", lines[0])
    scores = [float(line.split()[0]) for line in lines]
    assert scores == sorted(scores, reverse=True)
    assert len(lines) <= 2


def test_where_nothing_is_near_that_is_said(installation: Database) -> None:
    assert run("search", "宽带老是掉线") == "nothing near enough\n"
