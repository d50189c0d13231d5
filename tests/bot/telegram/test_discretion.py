"""The bot's token and members' words never reach a log."""

from __future__ import annotations

import logging

import httpx
import pytest
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ExtBot

import bot.telegram.polling  # noqa: F401 - so that its logger is there
from bot.telegram.application import new_request
from bot.telegram.discretion import Discretion
from bot.telegram.request import TelegramRequest
from tests.bot.telegram.offline import OfflineBotApi

TOKEN = "7000000001:AAE-the-secret-of-the-tests_0123456789"
SECRET = TOKEN.partition(":")[2]


@pytest.fixture
def discretion():
    discretion = Discretion(TOKEN)
    discretion.install()
    yield discretion
    discretion.uninstall()


async def test_the_http_librarys_own_line_about_each_call_is_not_logged(discretion, caplog):
    caplog.set_level(logging.DEBUG)
    discretion.uninstall()
    discretion.install()
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"ok": True, "result": True}))
    request = TelegramRequest(httpx_kwargs={"transport": transport})
    await request.post(f"https://api.telegram.org/bot{TOKEN}/getMe")
    await request.shutdown()
    assert SECRET not in caplog.text


async def test_without_discretion_the_token_would_be_in_the_log(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    # Whatever ran before in this process may have silenced it (a migration's logging set-up does).
    caplog.set_level(logging.INFO, logger="httpx")
    monkeypatch.setattr(logging.getLogger("httpx"), "disabled", False)
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"ok": True, "result": True}))
    request = TelegramRequest(httpx_kwargs={"transport": transport})
    await request.post(f"https://api.telegram.org/bot{TOKEN}/getMe")
    await request.shutdown()
    assert SECRET in caplog.text


@pytest.mark.parametrize(
    "name", ["httpx", "telegram.Bot", "telegram.ext.ExtBot", "bot.telegram.polling", "asyncio"]
)
def test_a_warning_that_quotes_the_address_loses_the_token(discretion, caplog, name):
    logging.getLogger(name).warning("POST %s failed", f"https://api.telegram.org/bot{TOKEN}/getMe")
    assert "failed" in caplog.text
    assert SECRET not in caplog.text


def test_an_exception_that_quotes_the_token_loses_it(discretion, caplog):
    try:
        raise InvalidToken(f"The token `{TOKEN}` was rejected by the server.")
    except TelegramError:
        logging.getLogger("telegram.ext.Application").exception("did not start")
    assert "was rejected" in caplog.text
    assert SECRET not in caplog.text


async def test_the_parameters_of_calls_are_not_logged_at_debug(discretion, caplog):
    caplog.set_level(logging.DEBUG)
    discretion.uninstall()
    discretion.install()
    api = OfflineBotApi()
    bot = ExtBot(TOKEN, request=api.request(), get_updates_request=api.request())
    await bot.send_message(1, "老板拖欠工资，我的电话是13800138000")
    assert api.texts()
    assert "13800138000" not in caplog.text
    assert SECRET not in caplog.text


async def test_an_answer_that_is_no_json_is_not_quoted(caplog):
    with pytest.raises(TelegramError):
        new_request().parse_json_payload('{"text": "我的电话是13800138000'.encode())
    assert "13800138000" not in caplog.text


def test_closing_puts_the_loggers_back_as_they_were():
    httpx_logger, library = logging.getLogger("httpx"), logging.getLogger("telegram")
    before = httpx_logger.level, library.level, list(library.filters)
    discretion = Discretion(TOKEN)
    discretion.install()
    discretion.uninstall()
    assert (httpx_logger.level, library.level, list(library.filters)) == before
