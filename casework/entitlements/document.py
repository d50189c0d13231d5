"""``python -m casework.entitlements.document``: writes docs/entitlements.md from the calculators' own words.

The page is committed; a test fails when it is not what this writes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from casework.entitlements.base import Result
from casework.entitlements.examples import EXAMPLES
from casework.entitlements.registry import Entitlements
from casework.entitlements.wording import CalculatorWords
from casework.rates import Rates

HOME = Path(__file__).parents[2]
PAGE = HOME / "docs" / "entitlements.md"
EXAMPLES_ON = date(2026, 11, 22)
"""The day the examples are reckoned on, so that the page does not change by itself."""

HEAD = """\
# Entitlements: what each calculator reckons, by which article, and what it refuses

Written by `python -m casework.entitlements.document` from `data/knowledge/entitlements/`; edit that.

Each is one file in `casework/entitlements/` (pure: no clock, no database) with its words beside it in
`data/knowledge/entitlements/<name>.yml`. It is reached in the conversation (as part of a claim sheet), on the
page `/calculators/<name>`, and through `POST /api/v1/calculators/<name>`. Every input may be left out: what
is missing is asked for, never assumed. Numbers that change by year or place are `data/knowledge/rates/`;
where no row is in force, the calculator says so and gives what is still certain. Amounts are 元, rounded half
up to 分 once, at the end.

A claim sheet on a phone, one claim with its steps, and a calculator's result (示例):

<img src="images/entitlements/claim-sheet-phone.png" width="260" alt="A claim sheet on a phone">
<img src="images/entitlements/claim-phone.png" width="200" alt="One claim with its steps">
<img src="images/entitlements/calculator-phone.png" width="200" alt="A calculator's result">
"""


def write_page(entitlements: Entitlements) -> str:
    """The page, for all calculators in their order."""
    lines = [HEAD, "| name | what |", "|---|---|"]
    lines += [f"| [`{name}`](#{name}) | {words.label} |" for name, words in entitlements.words.items()]
    for name, words in entitlements.words.items():
        lines += ["", *_section(entitlements, name, words)]
    return "\n".join(lines) + "\n"


def _section(entitlements: Entitlements, name: str, words: CalculatorWords) -> Iterator[str]:
    yield f'<a id="{name}"></a>'
    yield f"## {words.label} · `{name}`"
    yield ""
    yield words.what
    yield ""
    yield "**Formula**"
    yield ""
    yield from (f"- {text}" for text in words.formula)
    yield ""
    yield "**Articles**: " + "；".join(
        dict.fromkeys(cited.text for step in words.steps.values() for cited in step.cites)
    )
    yield ""
    yield "**What it refuses**"
    yield ""
    yield from (f"- {text}" for text in words.refuses)
    yield ""
    yield "| input | called | kind |"
    yield "|---|---|---|"
    schema = entitlements.schema(name)
    for field, kind in schema["properties"].items():
        said = words.inputs[field]
        unit = f" ({said.unit})" if said.unit else ""
        yield f"| `{field}` | {said.label} | {_kind(kind, schema)}{unit} |"
    if name in EXAMPLES:
        yield ""
        yield from _example(entitlements.calculate(name, EXAMPLES[name], EXAMPLES_ON), EXAMPLES[name])


def _example(result: Result, inputs: Any) -> Iterator[str]:
    given = "，".join(f"`{field}` {_said(value)}" for field, value in inputs.items())
    yield f"**Example** ({EXAMPLES_ON.isoformat()}): {given} → {result.status.value}"
    yield ""
    yield from (f"{number}. {step.text}" for number, step in enumerate(result.steps, 1))
    yield from (f"- {text}" for text in result.warnings)
    if result.missing:
        yield f"- asks: {'、'.join(one.label for one in result.missing)}"
    if result.confirm_year is not None:
        yield f"- 以当年官方公布为准（{result.confirm_year}）"


def _kind(kind: Any, schema: Any) -> str:
    options = [one for one in kind.get("anyOf", [kind]) if one.get("type") != "null"]
    first = options[0]
    if "$ref" in first:
        parts = schema["$defs"][first["$ref"].rpartition("/")[2]]["properties"]
        return "{" + ", ".join(parts) + "}"
    if "enum" in first:
        return " / ".join(f"`{one}`" for one in first["enum"])
    if first.get("type") == "array":
        return f"list of {_kind(first['items'], schema)}"
    name = {"boolean": "yes or no", "integer": "whole number", "string": "text"}.get(first["type"], "number")
    if first.get("format") == "date":
        return "day"
    low, high = first.get("minimum", first.get("exclusiveMinimum")), first.get("maximum")
    return name if low is None or high is None else f"{name} {_plain(low)}…{_plain(high)}"


def _plain(number: float) -> str:
    return f"{number:.0f}" if float(number).is_integer() else str(number)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} {_said(one)}" for key, one in value.items()) + "}"
    return "、".join(_said(one) for one in value) if isinstance(value, list) else str(value)


def main() -> int:
    """Write the page."""
    root = HOME / "data" / "knowledge"
    PAGE.write_text(write_page(Entitlements.load(root, Rates.load(root))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
