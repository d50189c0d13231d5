"""The training workbench: pages under ``/workbench`` in the desk's style, for who teaches the assistant.

``docs/workbench.md`` says how it is built. Every part is a router; ``routers()`` is where they come together.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.staticfiles import StaticFiles

from bot.desk import RevalidatedFiles
from bot.roles import Role, open_to

STATIC = Path(__file__).parent / "static"
STATIC_URL = "/workbench/static"


def routers() -> list[APIRouter]:
    """The routers of the workbench's parts."""
    # The parts import this package.
    from bot.workbench import examples, examples_edit, figures, inbox, lint, models, train  # noqa: PLC0415

    # examples_edit before examples: /history is no intent.
    parts = (inbox, train, models, figures, lint, examples_edit, examples)
    return [part.router for part in parts]


def static_files() -> StaticFiles:
    """The workbench's scripts and styles, for ``/workbench/static``; they hold nothing secret."""
    return open_to(Role.PUBLIC)(RevalidatedFiles(directory=STATIC))
