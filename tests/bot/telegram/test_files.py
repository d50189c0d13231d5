"""Files members send are kept as attachments, within limits, and never lost without a word."""

from __future__ import annotations

import asyncio

import pytest
from telegram.error import NetworkError, TelegramError, TimedOut

from bot.telegram.request import TelegramRequest
from casework import handoff
from casework.attachments import AttachmentStore, Limits
from tests.bot.telegram import updates as build
from tests.factories import make_staff

ME = 700
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 200
PDF = b"%PDF-1.7\n" + b"x" * 200
OGG = b"OggS" + b"\x00" * 200
MP4 = b"\x00\x00\x00\x18ftypisom" + b"\x00" * 200


@pytest.fixture
async def known(line, api):
    """A member who has said something before."""
    await line.bring(build.text(ME, "您好"))
    await line.heard()
    api.calls.clear()
    return line


async def test_a_photo_is_kept_and_handed_in_with_its_caption(known, api, script):
    api.files["p1"] = JPEG
    await known.bring(build.photo(ME, "p1", caption="这是工资条"))
    (attachment,) = await known.attachments()
    assert (attachment.media_type, attachment.size) == ("image/jpeg", len(JPEG))
    message = next(one for one in await known.transcript() if one.text == "这是工资条")
    assert attachment.message_id == message.id
    assert [utterance.text for utterance in script.heard[-2:]] == [
        f'/send_attachment{{"attachment_id": "{attachment.id}"}}',
        "这是工资条",
    ]


async def test_the_bytes_that_were_kept_are_the_bytes_that_were_sent(known, api, house_parts):
    api.files["d1"] = PDF
    await known.bring(build.document(ME, "d1", "合同.pdf"))
    (attachment,) = await known.attachments()
    assert attachment.filename == "合同.pdf"
    assert await house_parts.attachments.read(attachment) == PDF


@pytest.mark.parametrize(
    ("update", "content", "kind"),
    [
        (build.voice(ME, "f"), OGG, "语音"),
        (build.audio(ME, "f"), b"ID3" + b"\x00" * 90, "录音"),
        (build.video_note(ME, "f"), MP4, "视频"),
    ],
)
async def test_a_recording_is_kept_and_the_member_is_told_that_it_was_only_kept(
    known, api, wording, update, content, kind
):
    api.files["f"] = content
    await known.bring(update)
    assert len(await known.attachments()) == 1
    assert (await known.heard())[-1] == wording.say("telegram.recording_kept", kind=kind)


async def test_a_recording_for_a_human_is_kept_without_a_word_from_the_bot(known, api, clock):
    conversation = await known.conversation()
    async with known.database.transaction() as session:
        staff = await make_staff(session)
        await handoff.hand_off(session, conversation, "asked", clock.now())
        await handoff.take_over(session, conversation, staff, clock.now())
    api.files["f"] = OGG
    await known.bring(build.voice(ME, "f"))
    assert len(await known.attachments()) == 1
    assert await known.heard() == []


class TestAlbums:
    async def test_an_album_is_one_message_with_all_its_photos(self, known, api, script):
        for name in ("a", "b", "c"):
            api.files[name] = JPEG
        before = len(script.heard)
        captions = {"a": "三个月的工资条"}
        await known.bring(
            *(build.photo(ME, name, caption=captions.get(name), media_group_id="g") for name in "abc")
        )
        attachments = await known.attachments()
        assert len(attachments) == 3
        assert len({attachment.message_id for attachment in attachments}) == 1
        assert len(script.heard) == before + 2
        assert len(await known.heard()) == 2

    async def test_an_album_of_more_files_than_a_message_may_carry_becomes_two(self, known, api):
        for number in range(7):
            api.files[f"a{number}"] = JPEG
        await known.bring(*(build.photo(ME, f"a{number}", media_group_id="g") for number in range(7)))
        attachments = await known.attachments()
        by_message = [attachment.message_id for attachment in attachments]
        assert sorted(by_message.count(one) for one in set(by_message)) == [2, 5]

    async def test_an_album_brought_again_after_a_crash_is_not_answered_again(self, known, api):
        api.files["a"] = api.files["b"] = JPEG
        updates = [build.numbered(build.photo(ME, name, media_group_id="g")) for name in "ab"]
        for _ in range(2):
            await asyncio.gather(*(known.door.take(update) for update in updates))
            await asyncio.gather(*known.door._spooled)
        assert len(await known.heard()) == 1
        assert len([one for one in await known.transcript() if (one.content or {}).get("attachments")]) == 1

    async def test_one_bad_photo_does_not_spoil_the_album(self, known, api, wording):
        api.files["a"] = JPEG
        api.files["b"] = b""
        await known.bring(*(build.photo(ME, name, media_group_id="g") for name in "ab"))
        assert len(await known.attachments()) == 1
        assert (await known.heard())[-1] == wording.say("refusal.attachment_refused_empty")

    async def test_the_spool_is_empty_once_the_album_is_recorded(self, known, api):
        api.files["a"] = api.files["b"] = JPEG
        await known.bring(*(build.photo(ME, name, media_group_id="g") for name in "ab"))
        assert await known.door._spool.waiting() == []


class TestRefusals:
    async def test_a_file_that_is_too_large_is_not_even_asked_for(self, known, api, wording):
        api.files["d"] = PDF
        await known.bring(build.document(ME, "d", size=200 * 1024 * 1024))
        assert await known.heard() == [wording.say("refusal.attachment_refused_too_large", limit=10)]
        assert api.made("getFile") == []

    async def test_a_file_that_lies_about_its_size_is_stopped_on_the_way(
        self, open_door, house_parts, api, wording, tmp_path
    ):
        from dataclasses import replace

        store = AttachmentStore(tmp_path / "small", Limits(max_bytes=1024 * 1024))
        line = await open_door(replace(house_parts, attachments=store))
        api.files["d"], api.chunk = PDF + b"x" * 3 * 1024 * 1024, 64 * 1024
        await line.bring(build.document(ME, "d", size=100))
        assert (await line.heard())[-1] == wording.say("refusal.attachment_refused_too_large", limit=1)
        assert await line.attachments() == []
        assert [path for path in (tmp_path / "small").rglob("*") if path.is_file()] == []

    async def test_a_file_telegram_itself_finds_too_large_gets_the_same_sentence(self, known, api, wording):
        api.answer("getFile", (400, {"ok": False, "description": "Bad Request: file is too big"}))
        await known.bring(build.document(ME, "d", size=None))
        assert await known.heard() == [wording.say("refusal.attachment_refused_too_large", limit=10)]

    @pytest.mark.parametrize(
        ("filename", "media_type", "content", "reason"),
        [
            ("病毒.exe", "application/x-msdownload", b"MZ\x90\x00" * 20, "type"),
            ("合同.pdf", "application/pdf", b"", "empty"),
            ("合同.pdf", "application/pdf", JPEG, "mismatch"),
        ],
    )
    async def test_a_wrong_file_gets_its_sentence(
        self, known, api, wording, filename, media_type, content, reason
    ):
        api.files["d"] = content
        await known.bring(build.document(ME, "d", filename, media_type))
        assert await known.heard() == [wording.say(f"refusal.attachment_refused_{reason}")]
        assert await known.attachments() == []

    async def test_the_words_under_a_refused_file_are_answered_all_the_same(self, known, api, wording):
        api.files["d"] = b""
        await known.bring(build.document(ME, "d", caption="这是合同"))
        assert await known.heard() == ["答：这是合同", wording.say("refusal.attachment_refused_empty")]

    async def test_a_refused_file_stands_in_the_transcript(self, known, api, wording):
        api.files["d"] = b""
        await known.bring(build.document(ME, "d"))
        assert wording.say("telegram.file_not_taken") in [
            message.text for message in await known.transcript()
        ]

    async def test_more_files_than_a_day_allows_are_refused_before_they_are_fetched(
        self, open_door, house_parts, api, wording, tmp_path
    ):
        from dataclasses import replace

        line = await open_door(replace(house_parts, attachments=AttachmentStore(tmp_path, Limits(per_day=1))))
        api.files["a"] = api.files["b"] = JPEG
        await line.bring(build.photo(ME, "a"))
        asked = len(api.made("getFile"))
        await line.bring(build.photo(ME, "b"))
        assert (await line.heard())[-1] == wording.say("refusal.attachment_refused_per_day", limit=1)
        assert len(api.made("getFile")) == asked


class TestBadLines:
    @pytest.mark.parametrize("trouble", [NetworkError("down"), TimedOut()])
    async def test_a_file_is_asked_for_again_when_the_line_breaks(self, known, api, trouble):
        api.files["p"] = JPEG
        api.answer("getFile", trouble, trouble)
        await known.bring(build.photo(ME, "p"))
        assert len(await known.attachments()) == 1

    async def test_a_file_that_cannot_be_had_is_said_and_the_message_is_not_held_up(
        self, known, api, wording
    ):
        await known.bring(build.photo(ME, "not-there", caption="看照片"))
        assert await known.heard() == ["答：看照片", wording.say("telegram.file_lost")]

    async def test_a_file_telegram_does_not_know_is_not_asked_for_again(self, known, api, wording):
        api.answer("getFile", (400, {"ok": False, "description": "Bad Request: invalid file_id"}))
        await known.bring(build.photo(ME, "x"))
        assert await known.heard() == [wording.say("telegram.file_lost")]
        assert len(api.made("getFile")) == 1


class TestLocalServer:
    async def test_a_server_in_local_mode_names_a_path_that_is_read_as_it_is(self, tmp_path):
        path = tmp_path / "照片 1.jpg"
        path.write_bytes(JPEG * 1000)
        request = TelegramRequest()
        async with request.open_file(str(path)) as stream:
            assert b"".join([piece async for piece in stream]) == JPEG * 1000
        await request.shutdown()

    async def test_a_path_that_is_not_there_is_an_error_of_telegrams(self, tmp_path):
        request = TelegramRequest()
        with pytest.raises(TelegramError):
            async with request.open_file(str(tmp_path / "nothing")) as stream:
                _ = [piece async for piece in stream]
        await request.shutdown()
