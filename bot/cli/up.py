"""up and serve: the whole house, or the bot alone."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer
from rich.console import Console

from bot.cli.first_model import settle_model
from bot.cli.house import opened, settings
from bot.cli.knowledge import import_sample_stations, install_canned_replies
from bot.cli.model import RASA_ENVIRONMENT
from bot.supervisor import Program, Supervisor, python_module
from casework import accounts
from casework.settings import Settings

console = Console(highlight=False)
FIRST_ADMIN = (
    "                   nobody can sign in yet: in another terminal run\n"
    "                     .venv/bin/niangjia staff add admin 管理员 --role admin\n"
    "                   and sign in with the one-time password it prints"
)


def programs(chosen: Settings) -> list[Program]:
    """The processes, with what each must be told: actions, Rasa's replicas, the bot."""
    anywhere = chosen.host in {"0.0.0.0", "::"}  # noqa: S104  (compared, not bound)
    shared = {
        **RASA_ENVIRONMENT,
        "NIANGJIA_INTERNAL_TOKEN": chosen.internal_token,
        "NIANGJIA_HOME": str(chosen.home),
        "NIANGJIA_VAR": str(chosen.var_dir),
        "NIANGJIA_MODELS": str(chosen.models_dir),
        "DATABASE_URL": os.environ.get("DATABASE_URL", ""),
        "RASA_PORT": str(chosen.rasa_port),
        "RASA_REPLICAS": str(chosen.rasa_replicas),
        "ACTIONS_PORT": str(chosen.actions_port),
        "MODEL_SERVER": f"http://{'127.0.0.1' if anywhere else chosen.host}:{chosen.port}",
        "MODEL_PULL_SECONDS": str(chosen.model_pull_seconds),
        "PUBLIC_URL": chosen.public_url or "",
        "SANIC_HOST": "127.0.0.1",
        "LOG_LEVEL": chosen.log_level,
    }
    local = "http://127.0.0.1"
    replicas = [] if chosen.rasa_urls else list(enumerate(chosen.rasa_ports, 1))
    return [
        Program(
            "actions",
            python_module("actions"),
            f"{local}:{chosen.actions_port}/health",
            chosen.actions_port,
            shared,
        ),
        *(
            Program(
                "rasa" if number == 1 else f"rasa-{number}",
                _rasa(port),
                f"{local}:{port}/webhooks/switchboard/",
                port,
                # One replica knows nothing of the others; its port names the file it keeps.
                {**shared, "RASA_PORT": str(port), "RASA_REPLICAS": "1"},
            )
            for number, port in replicas
        ),
        Program(
            "bot", python_module("bot", "serve"), f"{local}:{chosen.port}/api/v1/health", chosen.port, shared
        ),
    ]


def _rasa(port: int) -> list[str]:
    """A replica's command: without a model, which it gets from the bot's model server."""
    where = ("--interface", "127.0.0.1", "--port", str(port))
    files = ("--endpoints", "endpoints.yml", "--credentials", "credentials.yml")
    return python_module("nlu.server", "run", *where, *files)


def up(
    retrain: Annotated[bool, typer.Option(help="Train a new model first")] = False,
) -> None:
    """Start everything: database, sample data, a first model if there is none, and the processes."""
    chosen = settings()
    os.chdir(chosen.home)
    has_admin = asyncio.run(_prepare(chosen))
    settle_model(chosen, retrain=retrain, say=console.print)
    supervisor_programs = programs(chosen)

    async def announce() -> None:
        base = f"http://{chosen.host}:{chosen.port}"
        console.print(f"\n[bold]娘家人 is ready[/bold]\n  web page           {base}/")
        console.print(f"  hotline's desk     {base}/desk")
        if not has_admin:
            console.print(FIRST_ADMIN)
        console.print(f"  API documentation  {base}/docs")
        console.print(
            "  Telegram           on"
            if chosen.telegram_token
            else "  Telegram           off: ask @BotFather for a token, "
            "put TELEGRAM_TOKEN=… into .env, start again"
        )
        console.print(f"  logs               {chosen.var_dir / 'logs'}\n  Ctrl-C stops everything\n")

    async def run() -> None:
        supervisor = Supervisor(supervisor_programs, chosen.var_dir / "logs", console.print)
        supervisor.check_ports()
        console.print("starting rasa, the action server and the bot …")
        await supervisor.run(announce)

    asyncio.run(run())


async def _prepare(chosen: Settings) -> bool:
    """Bring the database up to date, with what ships if it is new; whether there is an admin."""
    async with opened(chosen) as database:
        await database.upgrade()
        imported = await import_sample_stations(database, chosen)
        await install_canned_replies(database, chosen)
        async with database.read() as session:
            has_admin = await accounts.has_admin(session)
    if imported:
        console.print(f"{imported} sample stations are in the database, each marked 示例")
    return has_admin


def serve() -> None:
    """Run the bot alone (web page, API, Telegram) in this process; `up` uses it."""
    from bot.serve import serve as serve_bot  # noqa: PLC0415  (the other commands need no web server)

    serve_bot(settings())
