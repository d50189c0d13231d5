"""Spreadsheets: a cell of a file of ours never runs as a formula in whatever opens it."""

from __future__ import annotations

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # full-width ones count
_BLANKS = " \u3000\ufeff"


def csv_safe(cell: str) -> str:
    """The cell, with a quote before it where a spreadsheet might take it for a formula, blanks or not."""
    return (
        f"'{cell}"
        if cell.startswith(_FORMULA_STARTS) or cell.lstrip(_BLANKS).startswith(_FORMULA_STARTS)
        else cell
    )
