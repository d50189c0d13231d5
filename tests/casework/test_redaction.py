"""Redaction: what must not stay in logs, what must, and that no handler gets around it."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.logging import AccessFormatter

from casework.redaction import RedactingFilter, mask_name, mask_phone, redact
from casework.tables import new_id

TELEGRAM_TOKEN = "123456789:" + "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("电话13800138000。", "电话[phone]。"),
        ("tel:138-0013-8000", "tel:[phone]"),
        ("138 0013 8000找我", "[phone]找我"),
        ("+86 138 0013 8000", "[phone]"),
        ("008613800138000", "[phone]"),
        ("１３８００１３８０００", "[phone]"),
        ("0531-88888888", "[phone]"),
        ("（0531）8888 8888", "[phone]"),
        ("两个：13800138000、13900139000", "两个：[phone]、[phone]"),
        ("37010219900307123X", "[id-card]"),
        ("身份证37010219900307123x号", "身份证[id-card]号"),
        ("370102 19900307 1234", "[id-card]"),
        ("370102900307123", "[id-card]"),
        ("6222021234567890123", "[bank-card]"),
        ("6222 0212 3456 7890 123", "[bank-card]"),
        ("6222-0212-3456-7890", "[bank-card]"),
        ("写信到 a.b+c@qq.com 吧", "写信到 [email] 吧"),
        ("ａ＠ｑｑ．ｃｏｍ", "[email]"),
        (f"https://api.telegram.org/bot{TELEGRAM_TOKEN}/getMe", "https://api.telegram.org/[token]/getMe"),
        (TELEGRAM_TOKEN, "[token]"),
        ("Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer [token]"),
        (
            '/share_location{"latitude":36.6512,"longitude":117.12}',
            '/share_location{"latitude=[location],"longitude=[location]}',
        ),
    ],
)
def test_what_identifies_a_person_or_opens_a_door_is_taken_out(text: str, kept: str) -> None:
    assert redact(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "JN-20261122-0031-9",
        "jn 20261122 0031 9",
        "JN2026112200319",
        "2026-11-22 10:48:00,123 INFO",
        "12351",
        "12348 和 110",
        "月工资 13800.50 元，干了 3 个月",
        "2023年3月5日入职",
        "conversation 0123456789abcdef13800138000abcde",
        "6f9619ff-8b86-d011-b42d-00c04fc964ff",
        "1763779680000",
        "epoch 3, message 17",
        "36.6度",
        "",
    ],
)
def test_what_an_operator_searches_for_stays(text: str) -> None:
    assert redact(text) == text


def test_our_own_ids_stay_whatever_digits_they_hold() -> None:
    for _ in range(3000):
        own = f"conversation {new_id()} closed"
        assert redact(own) == own


@given(st.text())
def test_any_text_is_redacted_once_and_for_all(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@given(
    st.text(alphabet=st.characters(exclude_categories=["N", "Cs"]), max_size=20), st.integers(0, 999_999_999)
)
def test_a_mobile_number_is_found_wherever_it_stands(around: str, number: int) -> None:
    phone = f"13{number:09d}"
    assert phone not in redact(f"{around}{phone}{around}")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "1" * 100_000,
        "1 " * 50_000,
        "中" * 100_000,
        "0531-" * 20_000,
        "a.b@" * 25_000,
        "bot1" * 25_000,
    ],
)
def test_a_very_long_text_is_redacted_in_a_moment(text: str) -> None:
    started = time.perf_counter()
    redact(text)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13800138000", "138****8000"),
        ("138-0013-8000", "138****8000"),
        ("053188888888", "053*****8888"),
        ("88888888", "******88"),
        ("12351", "*****"),
        ("", ""),
    ],
)
def test_a_masked_phone_is_one_its_owner_recognises(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(("name", "masked"), [("王小明", "王**"), ("李", "李"), (" 张三 ", "张*"), ("", "")])
def test_a_masked_name_keeps_its_first_character(name: str, masked: str) -> None:
    assert mask_name(name) == masked


class Log:
    """A logger of its own whose handler redacts, and what it wrote."""

    def __init__(self, formatter: logging.Formatter | None = None) -> None:
        self._written = io.StringIO()
        self.handler = logging.StreamHandler(self._written)
        self.handler.addFilter(RedactingFilter())
        self.handler.setFormatter(formatter or logging.Formatter("%(levelname)s %(message)s"))
        self.logger = logging.Logger("test.redaction", logging.DEBUG)
        self.logger.addHandler(self.handler)

    @property
    def written(self) -> str:
        """Everything written so far."""
        return self._written.getvalue()


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    yield log
    log.handler.close()


def test_a_log_line_is_redacted_whether_the_number_is_in_its_text_or_its_arguments(log: Log) -> None:
    log.logger.info("told us 13800138000")
    log.logger.info("told us %s and %d times", "13800138000", 3)
    log.logger.info("told us %(phone)s", {"phone": "13800138000"})
    log.logger.info("told us %s", {"phone": "13800138000"})
    log.logger.info("told us %d", 13800138000)
    log.logger.info("told %s%s", "1380013", "8000")
    log.logger.info("plain %s", "words")
    assert "13800138000" not in log.written
    assert log.written.count("[phone]") == 6
    assert "told us [phone] and 3 times" in log.written
    assert log.written.endswith("INFO plain words\n")


def test_a_traceback_and_a_stack_are_redacted(log: Log) -> None:
    try:
        try:
            raise ValueError("13800138000 is not a wage")
        except ValueError as error:
            raise RuntimeError("while reading 37010219900307123X") from error
    except RuntimeError:
        log.logger.exception("failed for %s", "a.b@qq.com", stack_info=True)
    assert "Traceback" in log.written
    assert "RuntimeError: while reading [id-card]" in log.written
    assert "ValueError: [phone] is not a wage" in log.written
    for secret in ("13800138000", "37010219900307123X", "a.b@qq.com"):
        assert secret not in log.written


def test_a_record_that_cannot_be_rendered_is_still_written_without_its_arguments(log: Log) -> None:
    arguments = ("13800138000",)
    log.logger.info("one %s two %s 13900139000", *arguments)
    assert "13800138000" not in log.written
    assert "13900139000" not in log.written
    assert "arguments do not fit" in log.written


def test_every_handler_sees_the_redacted_record(log: Log) -> None:
    seen: list[logging.LogRecord] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record)

    log.logger.addHandler(Keeping())
    try:
        raise ValueError("13800138000")
    except ValueError:
        log.logger.exception("told us %s", "13800138000")
    (record,) = seen
    assert record.getMessage() == "told us [phone]"
    assert record.exc_info is None
    assert "ValueError: [phone]" in (record.exc_text or "")


def test_uvicorns_access_lines_keep_the_shape_their_formatter_needs() -> None:
    access = Log(AccessFormatter('%(client_addr)s "%(request_line)s" %(status_code)s', use_colors=False))
    access.logger.info(
        '%s - "%s %s HTTP/%s" %d', "127.0.0.1:5000", "GET", "/api/v1/cases?phone=13800138000", "1.1", 200
    )
    access.handler.close()
    assert access.written == '127.0.0.1:5000 "GET /api/v1/cases?phone=[phone] HTTP/1.1" 200 OK\n'
