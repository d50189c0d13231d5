"""Serve: logs are redacted before they are written, and streams are told to end before the server waits."""

from __future__ import annotations

import logging.config
import subprocess
import sys
import textwrap

import pytest
import uvicorn

from bot import serve as serving
from bot.logs import log_config
from bot.serve import DoorServer
from casework.settings import Settings
from tests.e2e.house import ROOT


def written_by(level: str, lines: str) -> str:
    """What a process with our logging writes to its standard error; pytest's own logging stays as it is."""
    script = (
        "import logging, logging.config\nfrom bot.logs import log_config\n"
        f"logging.config.dictConfig(log_config({level!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script + textwrap.dedent(lines)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stderr


def test_every_line_passes_the_redaction() -> None:
    written = written_by(
        "INFO",
        """
        logging.getLogger("bot.anything").info("电话 %s", "13800138000")
        logging.getLogger("uvicorn.error").error("Bearer %s", "abcdefghijklmnopqrst")
        try:
            raise ValueError("13800138000")
        except ValueError:
            logging.getLogger("asyncio").exception("stumbled")
        """,
    )
    assert "bot.anything" in written
    assert "stumbled" in written
    assert "13800138000" not in written
    assert "abcdefghijklmnopqrst" not in written


def test_every_handler_has_the_redaction() -> None:
    config = log_config("INFO")
    assert config["handlers"]
    assert all("redact" in str(handler["filters"]) for handler in config["handlers"].values())
    assert any("RedactingFilter" in str(filter_) for filter_ in config["filters"].values())


def test_libraries_that_log_what_passes_through_them_are_quiet_even_at_debug() -> None:
    written = written_by(
        "DEBUG",
        """
        logging.getLogger("aiosqlite").debug("executing ... parameters 张三")
        logging.getLogger("httpx").info("HTTP Request: POST https://api.telegram.org/bot123:secret/getMe")
        logging.getLogger("bot.anything").debug("a debug line of ours")
        """,
    )
    assert "张三" not in written
    assert "api.telegram.org" not in written
    assert "a debug line of ours" in written


async def test_the_word_is_given_before_the_server_waits_for_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order: list[str] = []

    async def wait(self: uvicorn.Server, sockets: object = None) -> None:
        order.append("wait")

    async def app(scope: object, receive: object, send: object) -> None: ...

    monkeypatch.setattr(uvicorn.Server, "shutdown", wait)
    server = DoorServer(uvicorn.Config(app, log_config=None), lambda: order.append("word"))
    await server.shutdown()
    assert order == ["word", "wait"]


@pytest.mark.parametrize("started", [True, False])
def test_a_process_that_did_not_start_says_so_to_its_supervisor(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, started: bool
) -> None:
    seen: list[uvicorn.Config] = []

    def run(self: DoorServer, sockets: object = None) -> None:
        seen.append(self.config)
        self.started = started
        if started:
            raise KeyboardInterrupt

    monkeypatch.setattr(DoorServer, "run", run)
    monkeypatch.setattr(logging.config, "dictConfig", lambda _config: None)  # pytest's own stays as it is
    if started:
        serving.serve(settings)
    else:
        with pytest.raises(SystemExit) as caught:
            serving.serve(settings)
        assert caught.value.code == serving.STARTUP_FAILED
    (config,) = seen
    assert (config.host, config.port, config.access_log) == (settings.host, settings.port, False)
    assert config.timeout_graceful_shutdown == serving.PATIENCE_S
