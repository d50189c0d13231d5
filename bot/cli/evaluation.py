"""evaluate: how well members are understood, measured on labelled sentences."""

from __future__ import annotations

import hashlib
import json
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.house import settings
from bot.cli.model import Listener, chosen_model, day
from casework.clock import SystemClock, shanghai_day
from casework.errors import BadInput
from casework.settings import Settings

Rows = list[dict[str, Any]]


def evaluate(
    files: Annotated[list[Path], typer.Argument(help="Lines of {text, topic, alt?, topics?, facts?}")],
    facts: Annotated[
        list[Path] | None,
        typer.Option(help="Lines of {text, facts}, for the figures of facts alone"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report as one page here")] = None,
    save_json: Annotated[Path | None, typer.Option(help="Write the figures as JSON here")] = None,
    robustness: Annotated[
        bool, typer.Option("--robustness", help="Measure again under noise (homophones, typos, …)")
    ] = False,
    model: Annotated[Path | None, typer.Option(help="Model file; the newest by default")] = None,
    as_of: Annotated[
        str | None, typer.Option(help="Day relative dates count from (ISO); today in Shanghai")
    ] = None,
) -> None:
    """Measure the model, with the crisis rules in front of it, against labelled sentences."""
    from nlu.evaluation import format_report, full_report  # noqa: PLC0415  (numpy; only needed here)
    from nlu.evaluation.robustness import robustness_figures  # noqa: PLC0415  (as above)

    since = day(as_of)
    by_file = {file: _read(file) for file in files}
    facts_by_file = {file: _read(file, topics_needed=False) for file in facts or []}
    rows = [row for group in by_file.values() for row in group]
    fact_rows = [row for group in facts_by_file.values() for row in group]
    chosen = settings()
    path = chosen_model(chosen, model)
    say = _stopwatch()
    say(f"loading {path.name}")
    listener = Listener.load(chosen, path)

    def read(texts: Sequence[str]) -> Rows:
        return list(listener.hear_in_detail(texts, since))

    say(f"reading {len(rows) + len(fact_rows)} sentences")
    readings, fact_readings = read(_texts(rows)), read(_texts(fact_rows))
    noisy = robustness_figures(rows, readings, read, progress=say) if robustness else None
    report = full_report(
        rows,
        readings,
        fact_rows=fact_rows,
        fact_readings=fact_readings,
        robustness=noisy,
        about={
            **_data(chosen, {file: len(group) for file, group in (by_file | facts_by_file).items()}),
            "model": path.name,
            "model_sha256": _digest([path]),
            "date": shanghai_day(SystemClock().now()).isoformat(),
            "as_of": since.isoformat(),
            "commands": _commands(chosen, files, facts or [], since.isoformat(), robustness, html),
        },
    )
    as_text = json.dumps(report, ensure_ascii=False, indent=1)
    if save_json is not None:
        _write(save_json, as_text + "\n", say)
    if html is not None:
        from nlu.evaluation.page import as_page  # noqa: PLC0415  (matplotlib; only the page needs it)

        _write(html, as_page(report), say)
    typer.echo(as_text if as_json else format_report(report))


def _read(file: Path, *, topics_needed: bool = True) -> Rows:
    from nlu.evaluation import BadRows, read_rows  # noqa: PLC0415  (as above)

    try:
        return read_rows(file, topics_needed=topics_needed)
    except BadRows as error:
        raise BadInput(str(error)) from error


def _texts(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(row["text"]) for row in rows]


def _stopwatch() -> Callable[[str], None]:
    """Says on standard error what is being done, after how many seconds."""
    started = time.monotonic()

    def say(what: str) -> None:
        typer.echo(f"[{time.monotonic() - started:5.1f} s] {what}", err=True)

    return say


def _data(chosen: Settings, counts: Mapping[Path, int]) -> dict[str, Any]:
    files = [{"file": _shown(chosen, file), "rows": count} for file, count in counts.items()]
    return {"files": files, "data_sha256": _digest(list(counts))}


def _digest(files: Sequence[Path]) -> str:
    """The first 16 digits of the SHA-256 of the files' contents, in the order given."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _commands(
    chosen: Settings,
    files: Sequence[Path],
    facts: Sequence[Path],
    as_of: str,
    robustness: bool,
    html: Path | None,
) -> list[str]:
    words = ["niangjia", "evaluate", *(_shown(chosen, file) for file in files)]
    for file in facts:
        words += ["--facts", _shown(chosen, file)]
    words += ["--as-of", as_of, *(["--robustness"] if robustness else [])]
    words += ["--html", _shown(chosen, html)] if html is not None else []
    return ["niangjia train", shlex.join(words)]


def _shown(chosen: Settings, file: Path) -> str:
    """A path from the repository's folder where it lies inside, else the file's name alone."""
    full, home = file.resolve(), chosen.home.resolve()
    return str(full.relative_to(home)) if full.is_relative_to(home) else file.name


def _write(file: Path, content: str, say: Callable[[str], None]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write {file}: {error}") from error
    say(f"wrote {file}")
