"""What a Telegram message says, whatever kind it is."""

from __future__ import annotations

import pytest
from telegram import Update

from bot.telegram.reading import Heard, Reading, read_album, read_command, read_correction, read_message
from tests.bot.telegram import updates as build


def message(update):
    return Update.de_json(build.numbered(update), None).effective_message


def test_a_text_is_its_words():
    assert read_message(message(build.text(1, "老板不给钱"))) == Reading(text="老板不给钱")


def test_of_a_photo_the_largest_size_is_taken_and_its_caption_is_the_text():
    reading = read_message(message(build.photo(1, "big", caption="这是工资条")))
    assert reading.text == "这是工资条"
    assert [offer.file_id for offer in reading.files] == ["big"]
    assert reading.files[0].media_type is None
    assert reading.heard is None


def test_a_document_keeps_its_name_and_type():
    (offer,) = read_message(message(build.document(1, "d1"))).files
    assert (offer.filename, offer.media_type, offer.size) == ("合同.pdf", "application/pdf", 2000)


def test_a_document_without_a_name_gets_one():
    raw = build.message(1, document=build.file_content("d1", 10))
    (offer,) = read_message(message(raw)).files
    assert offer.filename
    assert offer.media_type is None


@pytest.mark.parametrize(
    ("update", "heard", "media_type"),
    [
        (build.voice(1, "v"), Heard.VOICE, "audio/ogg"),
        (build.audio(1, "v"), Heard.AUDIO, "audio/mpeg"),
        (build.video_note(1, "v"), Heard.VIDEO, "video/mp4"),
    ],
)
def test_a_recording_is_a_file_that_was_only_heard(update, heard, media_type):
    reading = read_message(message(update))
    assert reading.heard is heard
    assert reading.files[0].media_type == media_type


def test_a_location_is_latitude_and_longitude():
    assert read_message(message(build.location(1, 36.66, 117.02))).location == (36.66, 117.02)


def test_a_venue_is_where_it_is():
    venue = {"location": {"latitude": 36.6, "longitude": 117.0}, "title": "泉城广场", "address": "历下区"}
    raw = build.message(1, venue=venue, location=venue["location"])
    assert read_message(message(raw)).location == (36.6, 117.0)


def test_a_shared_contact_says_whether_it_is_the_senders_own():
    own = read_message(message(build.contact(1, of=1))).contact
    other = read_message(message(build.contact(1, of=2))).contact
    nobody = read_message(message(build.contact(1))).contact
    assert own.own
    assert own.phone == "13800138000"
    assert not other.own
    assert not nobody.own
    assert other.name == "张 建国"


def test_stickers_and_polls_are_named_as_unsupported():
    assert read_message(message(build.sticker(1, "👍"))) == Reading(unsupported="sticker", sticker="👍")
    assert read_message(message(build.poll(1))).unsupported == "poll"
    assert read_message(message(build.message(1, dice={"emoji": "🎲", "value": 3}))).unsupported == "dice"


def test_a_kind_nobody_has_heard_of_is_unsupported_too():
    assert read_message(message(build.message(1))).unsupported == "other"


def test_a_service_message_reads_as_empty():
    assert read_message(
        message(build.message(1, message_auto_delete_timer_changed={"message_auto_delete_time": 60}))
    ).empty
    assert read_message(message(build.message(1, new_chat_title="x"))).empty


def test_an_album_is_its_captions_and_all_its_files():
    parts = [
        message(build.photo(1, "a", caption="正面")),
        message(build.photo(1, "b")),
        message(build.photo(1, "c", caption="反面")),
    ]
    reading = read_album(parts)
    assert reading.text == "正面\n反面"
    assert [offer.file_id for offer in reading.files] == ["a", "b", "c"]


def test_a_corrected_caption_does_not_bring_its_file_again():
    assert read_correction(message(build.edited(1, **_photo("改过的说明")))) == Reading(text="改过的说明")


def test_a_live_location_that_moves_is_not_a_message():
    moving = build.edited(1, location={"latitude": 36.0, "longitude": 117.0, "live_period": 60})
    assert read_correction(message(moving)).empty


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("/start", ("start", "")),
        ("/menu@niangjia_test_bot", ("menu", "")),
        ("/CASES", ("cases", "")),
        ("/help", ("menu", "")),
        ("/human 老板打人了", ("human", "老板打人了")),
        ("/menu@another_bot", None),
        ("/unknown", None),
        ("说说 /menu", None),
        ("/", None),
    ],
)
def test_a_command_is_known_by_its_first_word(words, expected):
    assert read_command(message(build.text(1, words)), "niangjia_test_bot") == expected


def _photo(caption):
    content = build.photo(1, "a", caption=caption)["message"]
    return {"photo": content["photo"], "caption": caption}
