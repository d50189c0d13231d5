"""Serve: logs are redacted before they are written, and streams are told to end before the server waits."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Iterator

import pytest
import uvicorn

from bot import serve as serving
from bot.logs import QUIET, log_config
from bot.serve import DoorServer
from casework.redaction import RedactingFilter
from casework.settings import Settings


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in QUIET}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.mark.usefixtures("logging_as_it_was")
def test_every_line_passes_the_redaction(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(log_config("INFO"))
    handlers = logging.getLogger().handlers
    assert handlers
    assert all(any(isinstance(f, RedactingFilter) for f in handler.filters) for handler in handlers)
    logging.getLogger("bot.anything").info("电话 %s", "13800138000")
    logging.getLogger("uvicorn.error").error("Bearer %s", "abcdefghijklmnopqrst")
    try:
        raise ValueError("13800138000")
    except ValueError:
        logging.getLogger("asyncio").exception("stumbled")
    written = capsys.readouterr().err
    assert "bot.anything" in written
    assert "stumbled" in written
    assert "13800138000" not in written
    assert "abcdefghijklmnopqrst" not in written


@pytest.mark.usefixtures("logging_as_it_was")
def test_libraries_that_log_what_passes_through_them_are_quiet_even_at_debug(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logging.config.dictConfig(log_config("DEBUG"))
    logging.getLogger("aiosqlite").debug("executing ... parameters 张三")
    logging.getLogger("httpx").info("HTTP Request: POST https://api.telegram.org/bot123:secret/getMe")
    logging.getLogger("bot.anything").debug("a debug line of ours")
    written = capsys.readouterr().err
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


@pytest.mark.usefixtures("logging_as_it_was")
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
    if started:
        serving.serve(settings)
    else:
        with pytest.raises(SystemExit) as caught:
            serving.serve(settings)
        assert caught.value.code == serving.STARTUP_FAILED
    (config,) = seen
    assert (config.host, config.port, config.access_log) == (settings.host, settings.port, False)
    assert config.timeout_graceful_shutdown == serving.PATIENCE_S
