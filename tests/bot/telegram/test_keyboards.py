"""Buttons carry tokens of at most 64 bytes, and a pressed one cannot be pressed again."""

from __future__ import annotations

import secrets

import pytest

from bot.telegram.keyboards import MAX_CALLBACK_BYTES, USED, ButtonTooLong, callback_data, keyboard, pressed
from bot.views import Button
from casework.buttons import TOKEN_PREFIX


def test_a_payload_of_64_bytes_is_the_longest():
    assert callback_data("b" * 64) == "b" * 64
    with pytest.raises(ButtonTooLong):
        callback_data("b" * 65)


def test_bytes_are_counted_and_not_characters():
    assert callback_data("区" * 21)
    with pytest.raises(ButtonTooLong):
        callback_data("区" * 22)


def test_an_empty_payload_is_refused():
    with pytest.raises(ButtonTooLong):
        callback_data("")


def test_a_button_that_telegram_could_not_keep_is_left_out_and_logged(caplog):
    markup = keyboard(
        [Button("好", "b:ok"), Button("坏", '/inform{"district":"历下区","employer":"某某建筑劳务有限公司"}')]
    )
    assert [key.text for row in markup.inline_keyboard for key in row] == ["好"]
    assert "left out" in caplog.text


def test_every_token_of_ours_fits():
    token = TOKEN_PREFIX + secrets.token_urlsafe(12)
    assert len(callback_data(token).encode()) <= MAX_CALLBACK_BYTES


def test_no_buttons_make_no_keyboard():
    assert keyboard([]) is None


def test_short_titles_stand_in_pairs_and_long_ones_alone():
    markup = keyboard(
        [Button(title, f"b:{title}") for title in ("1 分", "2 分", "3 分", "开工单，请工会跟进", "都不是")]
    )
    assert [[key.text for key in row] for row in markup.inline_keyboard] == [
        ["1 分", "2 分"],
        ["3 分"],
        ["开工单，请工会跟进"],
        ["都不是"],
    ]


def test_after_a_press_only_the_choice_is_left_ticked_and_without_effect():
    markup = keyboard([Button("历下区", "b:1"), Button("市中区", "b:2")])
    ((key,),) = pressed(markup, "b:2").inline_keyboard
    assert key.text == "✓ 市中区"
    assert key.callback_data == USED


def test_a_press_that_is_not_on_the_keyboard_changes_nothing():
    assert pressed(keyboard([Button("历下区", "b:1")]), "b:forged") is None
    assert pressed(None, "b:1") is None
