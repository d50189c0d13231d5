"""Faults: an operator finds where it broke, and nothing of what a member said."""

from __future__ import annotations

import logging
import re

import pytest

from bot.dialogue import DialogueDown
from bot.faults import log_fault, new_reference

log = logging.getLogger("bot.test")


def test_a_reference_can_be_read_over_the_phone() -> None:
    references = {new_reference() for _ in range(500)}
    assert len(references) == 500
    assert all(re.fullmatch(r"E-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}", one) for one in references)


def test_the_log_says_where_and_what_kind_and_quotes_only_our_own_errors(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def stumble() -> None:
        try:
            raise DialogueDown("status 500")
        except DialogueDown as error:
            raise ValueError("张三 13800138000") from error

    with pytest.raises(ValueError, match="张三") as caught:
        stumble()
    log_fault(log, "E-2345-6789", "no answer to message 7", caught.value)
    (record,) = caplog.records
    text = record.getMessage()
    assert text.startswith("fault E-2345-6789: no answer to message 7")
    assert "builtins.ValueError" in text
    assert "bot.dialogue.DialogueDown: status 500" in text
    assert re.search(r"test_faults\.py:\d+ in stumble", text)
    assert "张三" not in text
    assert "13800138000" not in text


def test_a_cause_that_was_set_aside_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    try:
        try:
            raise KeyError("secret")
        except KeyError:
            raise ValueError("what matters") from None
    except ValueError as error:
        log_fault(log, "E-2345-6789", "something", error)
    assert "KeyError" not in caplog.text
    assert "secret" not in caplog.text


def test_a_fault_without_an_error_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    log_fault(log, "E-2345-6789", "message 7 was begun 3 times", None)
    assert caplog.messages == ["fault E-2345-6789: message 7 was begun 3 times"]
