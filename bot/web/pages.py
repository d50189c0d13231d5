"""Pages: the templates of the members' pages, and how they say days and money; no line of script in any."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.house import House

HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}
"""For pages that show something of somebody."""


def page(
    house: House, template: str, *, status: int = 200, headers: Mapping[str, str] = HEADERS, **context: Any
) -> HTMLResponse:
    """A page of ``templates/``; it sees ``say`` (wording by key) beside ``context``."""
    html = templates().get_template(template).render(say=house.wording.say, has=house.wording.has, **context)
    return HTMLResponse(html, status_code=status, headers=dict(headers))


@cache
def templates() -> Environment:
    """The members' pages; made once."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update({"day": day_text, "money": money_text})
    return made


def day_text(day: date | str) -> str:
    """A day (or its ISO form) as people write it: 2026年3月1日."""
    known = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{known.year}年{known.month}月{known.day}日"


def money_text(amount: Decimal | str) -> str:
    """An amount in 元 with its thousands, without cents where there are none: 39,000 or 1,234.50."""
    return f"{Decimal(amount):,.2f}".removesuffix(".00")
