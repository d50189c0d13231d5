"""Attachments: what a file is decides, not its name; nothing is left behind, nothing lies in the open."""

from __future__ import annotations

import asyncio
import io
import os
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from casework import attachments
from casework.attachments import AttachmentStore, Limits
from casework.crypto import Cipher, install_cipher
from casework.database import Database
from casework.errors import AttachmentRefused, NotFound
from casework.file_types import DOCX, JPEG, MAX_FILENAME, TEXT, TYPES, agrees, clean_filename
from casework.sealed_files import CHUNK, FileDamaged, SealedReader, SealedWriter
from casework.settings import MIB, Settings
from casework.tables import Attachment, Author, Conversation
from tests.factories import make_attachment, make_case, make_conversation, make_message, make_staff

JPEG_BYTES = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(200)
DOCX_TYPE, XLSX_TYPE = DOCX.media_type, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(zipfile.ZipInfo(name), name * 50, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def box(brand: bytes) -> bytes:
    return b"\x00\x00\x00\x18ftyp" + brand + b"\x00\x00\x00\x00" + bytes(100)


WORD = archive("[Content_Types].xml", "_rels/.rels", "word/document.xml")
SHEET = archive("[Content_Types].xml", "xl/workbook.xml")


@pytest.fixture
def store(tmp_path: Path) -> AttachmentStore:
    return AttachmentStore(tmp_path / "attachments", Limits(max_bytes=2 * MIB, per_message=3, per_day=3))


@pytest.fixture
async def conversation(sqlite_database: Database) -> Conversation:
    async with sqlite_database.transaction() as session:
        return await make_conversation(session)


def files_under(store: AttachmentStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file()]


async def save(
    database: Database,
    store: AttachmentStore,
    conversation: Conversation,
    now: datetime,
    content: bytes = JPEG_BYTES,
    filename: str = "照片.jpg",
    declared: str | None = None,
) -> Attachment:
    async with database.transaction() as session:
        return await store.save(
            session, conversation.id, content, filename=filename, declared_type=declared, now=now
        )


# ---- what a file is


@pytest.mark.parametrize(
    ("content", "filename", "declared", "media_type"),
    [
        (JPEG_BYTES, "a.jpg", "image/jpeg", "image/jpeg"),
        (JPEG_BYTES, "a.JPEG", "image/jpg", "image/jpeg"),
        (JPEG_BYTES, "照片", None, "image/jpeg"),
        (JPEG_BYTES, "工资条2026.11", "application/octet-stream", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a.png", "image/png", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "a.webp", "image/webp", "image/webp"),
        (box(b"heic"), "IMG_1.HEIC", "image/heic", "image/heic"),
        (box(b"mif1"), "IMG_1.heif", "image/heif", "image/heic"),
        (b"%PDF-1.7\n" + bytes(50), "裁决书.pdf", "application/pdf", "application/pdf"),
        (WORD, "申请书.docx", DOCX_TYPE, DOCX_TYPE),
        (WORD, "申请书.docx", "application/zip", DOCX_TYPE),
        (SHEET, "工资.xlsx", XLSX_TYPE, XLSX_TYPE),
        (b"ID3\x04" + bytes(50), "a.mp3", "audio/mpeg", "audio/mpeg"),
        (b"\xff\xfb\x90" + bytes(50), "a.mp3", "audio/mp3", "audio/mpeg"),
        (b"OggS\x00" + bytes(50), "voice.oga", "audio/ogg", "audio/ogg"),
        (b"#!AMR\n" + bytes(50), "录音.amr", "audio/amr", "audio/amr"),
        (box(b"M4A "), "录音.m4a", "audio/x-m4a", "audio/mp4"),
        (box(b"isom"), "录音.m4a", "audio/mp4", "audio/mp4"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "a.wav", "audio/x-wav", "audio/wav"),
        (box(b"isom"), "a.mp4", "video/mp4", "video/mp4"),
        ("工资拖欠情况说明\r\n".encode(), "说明.txt", "text/plain; charset=utf-8", "text/plain"),
        ("\ufeff带 BOM 的说明".encode(), "说明.txt", None, "text/plain"),
    ],
)
async def test_a_file_we_take_is_kept_as_what_it_is(
    sqlite_database: Database,
    store: AttachmentStore,
    conversation: Conversation,
    now: datetime,
    content: bytes,
    filename: str,
    declared: str | None,
    media_type: str,
) -> None:
    saved = await save(sqlite_database, store, conversation, now, content, filename, declared)
    assert (saved.media_type, saved.size) == (media_type, len(content))
    assert await store.read(saved) == content


@pytest.mark.parametrize(
    ("content", "filename", "declared", "reason"),
    [
        (b"", "a.jpg", "image/jpeg", "empty"),
        (b"MZ\x90\x00" + bytes(50), "a.exe", "application/octet-stream", "type"),
        (b"MZ\x90\x00" + bytes(50), "a.jpg", "image/jpeg", "type"),
        (bytes(100), "a.bin", None, "type"),
        (b"GIF89a" + bytes(50), "a.gif", "image/gif", "type"),
        (archive("readme.txt"), "a.zip", "application/zip", "type"),
        (archive("word/document.xml"), "a.docx", DOCX_TYPE, "type"),
        (archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "a.docx", None, "type"),
        (WORD[: len(WORD) // 2], "a.docx", DOCX_TYPE, "type"),
        (b"PK\x03\x04" + bytes(100), "a.docx", DOCX_TYPE, "type"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "old.doc", "application/msword", "type"),
        (box(b"qt  "), "a.mov", "video/quicktime", "type"),
        ("工资".encode("gbk"), "a.txt", "text/plain", "type"),
        ("断在半个字".encode()[:-1], "a.txt", "text/plain", "type"),
        (b"abc\x00def", "a.txt", "text/plain", "type"),
        (b"abc\x1b[31m", "a.txt", "text/plain", "type"),
        (JPEG_BYTES, "a.png", "image/png", "mismatch"),
        (JPEG_BYTES, "a.jpg", "application/pdf", "mismatch"),
        (JPEG_BYTES, "a.exe", "image/jpeg", "mismatch"),
        (b"<html><script>alert(1)</script>", "a.html", "text/html", "mismatch"),
        (b"<svg onload='x'/>", "a.svg", None, "mismatch"),
        (WORD, "a.xlsx", None, "mismatch"),
        (box(b"isom"), "a.mp4", "image/heic", "mismatch"),
    ],
)
async def test_a_file_we_do_not_take_leaves_nothing_behind(
    sqlite_database: Database,
    store: AttachmentStore,
    conversation: Conversation,
    now: datetime,
    content: bytes,
    filename: str,
    declared: str | None,
    reason: str,
) -> None:
    with pytest.raises(AttachmentRefused) as refused:
        await save(sqlite_database, store, conversation, now, content, filename, declared)
    assert refused.value.values["reason"] == reason
    assert files_under(store) == []
    async with sqlite_database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Attachment)) == 0


async def test_an_upload_of_two_hundred_megabytes_is_cut_off_at_the_limit(store: AttachmentStore) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(200):
            taken += 1
            yield JPEG_BYTES + bytes(MIB)

    with pytest.raises(AttachmentRefused) as refused:
        async with store.receiving(endless(), "a.jpg", "image/jpeg"):
            raise AssertionError("it was taken in")
    assert refused.value.values == {"reason": "too_large", "limit": 2}
    assert taken <= 3
    assert files_under(store) == []


async def test_a_file_of_exactly_the_limit_is_taken(
    sqlite_database: Database, store: AttachmentStore, conversation: Conversation, now: datetime
) -> None:
    content = JPEG_BYTES + bytes(2 * MIB - len(JPEG_BYTES))
    saved = await save(sqlite_database, store, conversation, now, content)
    assert saved.size == 2 * MIB
    assert await store.read(saved) == content


async def test_an_upload_that_breaks_off_leaves_nothing_behind(store: AttachmentStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield JPEG_BYTES
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        async with store.receiving(broken(), "a.jpg", None):
            raise AssertionError("it was taken in")
    assert files_under(store) == []


async def test_a_type_is_known_however_small_the_pieces(
    sqlite_database: Database, store: AttachmentStore, conversation: Conversation, now: datetime
) -> None:
    def crumbs(content: bytes) -> Iterator[bytes]:
        for index in range(len(content)):
            yield content[index : index + 1]

    async with sqlite_database.transaction() as session:
        for content, name in ((JPEG_BYTES, "a.jpg"), ("工资条".encode(), "a.txt"), (WORD, "a.docx")):
            saved = await store.save(
                session, conversation.id, crumbs(content), filename=name, declared_type=None, now=now
            )
            assert await store.read(saved) == content


# ---- names


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\Users\\王\\工资.jpg", "工资.jpg"),
        ("工\u202e资\u200b条\x00.jpg", "工资条.jpg"),
        ("a\r\nSet-Cookie: x.jpg", "aSet-Cookie_ x.jpg"),
        (".jpg", "file.jpg"),
        ("", "file.jpg"),
        ("...", "file.jpg"),
        ('<b>"*?|.jpg', "_b_____.jpg"),
        ("  合  同  .jpg ", "合 同.jpg"),
        ("照片", "照片.jpg"),
        ("照片.JPEG", "照片.JPEG"),
        ("\ud83d.jpg", "_.jpg"),
    ],
)
def test_a_file_name_is_made_safe(given_name: str, kept: str) -> None:
    assert clean_filename(given_name, JPEG) == kept


@given(st.text(max_size=300))
def test_any_name_becomes_a_safe_one(name: str) -> None:
    kept = clean_filename(name, JPEG)
    assert 0 < len(kept) <= MAX_FILENAME
    assert not set(kept) & set('/\\<>:"|?*\x00\r\n')
    assert kept.lower().endswith((".jpg", ".jpeg", ".jpe", ".jfif"))
    assert not kept.startswith(".")
    assert clean_filename(kept, JPEG) == kept


def test_every_type_agrees_with_its_own_names() -> None:
    for kind in TYPES:
        for extension in kind.extensions:
            assert agrees(kind, kind.media_type, f"a.{extension}")
    assert not agrees(TEXT, None, "a.js")


async def test_the_name_is_nowhere_in_the_open(
    sqlite_database: Database,
    store: AttachmentStore,
    conversation: Conversation,
    now: datetime,
    tmp_path: Path,
) -> None:
    content = "俺叫王建国，电话13800001234".encode()
    saved = await save(sqlite_database, store, conversation, now, content, "王建国的欠条.txt", "text/plain")
    (path,) = files_under(store)
    assert path == store.root / saved.id[:2] / saved.id
    assert path.stat().st_mode & 0o777 == 0o600
    database_files = [tmp_path / "niangjia.db", tmp_path / "niangjia.db-wal"]
    for place in (path, *database_files):
        at_rest = place.read_bytes()
        assert "王建国".encode() not in at_rest
        assert b"13800001234" not in at_rest


# ---- limits


async def test_a_conversation_may_send_so_many_files_a_shanghai_day(
    database: Database, store: AttachmentStore, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
    for _ in range(3):
        await save(database, store, conversation, now)
    with pytest.raises(AttachmentRefused) as refused:
        await save(database, store, conversation, now + timedelta(hours=14))
    assert refused.value.values == {"reason": "per_day", "limit": 3}
    assert len(files_under(store)) == 3
    # 09:30 plus 14 h 30 min is midnight in Shanghai.
    await save(database, store, conversation, now + timedelta(hours=14, minutes=30))


async def test_ten_uploads_at_once_do_not_slip_past_the_limit(
    database: Database, store: AttachmentStore, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
    outcomes = await asyncio.gather(
        *(save(database, store, conversation, now) for _ in range(10)), return_exceptions=True
    )
    assert len([outcome for outcome in outcomes if isinstance(outcome, Attachment)]) == 3
    assert len([outcome for outcome in outcomes if isinstance(outcome, AttachmentRefused)]) == 7
    assert len(files_under(store)) == 3


def test_a_message_brings_only_so_many(store: AttachmentStore) -> None:
    store.check_message(3)
    with pytest.raises(AttachmentRefused) as refused:
        store.check_message(4)
    assert refused.value.values == {"reason": "per_message", "limit": 3}


def test_the_store_of_an_installation_follows_its_settings(settings: Settings) -> None:
    store = AttachmentStore.of(settings)
    assert store.root == settings.var_dir / "attachments"
    assert store.limits == Limits(
        max_bytes=settings.attachment_max_bytes,
        per_message=settings.attachments_per_message,
        per_day=settings.attachments_per_day,
    )


# ---- transactions


async def test_a_transaction_that_is_undone_takes_its_file_with_it(
    database: Database, store: AttachmentStore, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)

    async def change_my_mind() -> None:
        async with store.receiving(JPEG_BYTES, "a.jpg", None) as draft, database.transaction() as session:
            await store.keep(session, conversation.id, draft, now)
            assert len(files_under(store)) == 1
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError):
        await change_my_mind()
    assert files_under(store) == []


async def test_what_happens_after_the_commit_no_longer_touches_the_file(
    sqlite_database: Database, store: AttachmentStore, conversation: Conversation, now: datetime
) -> None:
    async def fail_later() -> None:
        async with store.receiving(JPEG_BYTES, "a.jpg", None) as draft:
            async with sqlite_database.transaction() as session:
                await store.keep(session, conversation.id, draft, now)
            raise RuntimeError("the answer could not be sent")

    with pytest.raises(RuntimeError):
        await fail_later()
    assert len(files_under(store)) == 1


async def test_a_file_that_is_not_kept_is_gone(store: AttachmentStore) -> None:
    async with store.receiving(JPEG_BYTES, "a.jpg", None) as draft:
        assert draft.path.exists()
    assert files_under(store) == []


async def test_erasing_waits_for_the_commit(
    database: Database, store: AttachmentStore, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
    saved = await save(database, store, conversation, now)

    async def change_my_mind() -> None:
        async with database.transaction() as session:
            await store.erase(session, [await session.get_one(Attachment, saved.id)])
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError):
        await change_my_mind()
    assert await store.read(saved) == JPEG_BYTES
    async with database.transaction() as session:
        await store.erase(session, [await session.get_one(Attachment, saved.id)])
        assert len(files_under(store)) == 1
        async with session.begin_nested():
            await make_conversation(session)
        assert len(files_under(store)) == 1
    assert files_under(store) == []
    async with database.read() as session:
        assert await session.get(Attachment, saved.id) is None


async def test_a_crash_between_file_and_commit_is_cleaned_up_later(
    sqlite_database: Database, store: AttachmentStore, conversation: Conversation, now: datetime
) -> None:
    saved = await save(sqlite_database, store, conversation, now)
    lost, arriving, young = (
        store.path("ab" * 16),
        store.root / "incoming" / ("cd" * 16),
        store.path("ef" * 16),
    )
    for path in (lost, arriving, young):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    for path in (lost, arriving, store.path(saved.id)):
        os.utime(path, (now.timestamp() - 7200,) * 2)
    os.utime(young, (now.timestamp() - 60,) * 2)
    async with sqlite_database.read() as session:
        assert await store.sweep_orphans(session, now) == 2
    assert set(files_under(store)) == {store.path(saved.id), young}


async def test_sweeping_an_empty_house_finds_nothing(
    sqlite_database: Database, store: AttachmentStore, now: datetime
) -> None:
    async with sqlite_database.read() as session:
        assert await store.sweep_orphans(session, now) == 0


# ---- at rest


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7])
def test_a_sealed_file_reads_as_it_was_written(tmp_path: Path, cipher: Cipher, size: int) -> None:
    content = os.urandom(size)
    path = tmp_path / "sealed"
    writer = SealedWriter(path, "ab" * 16, cipher)
    for start in range(0, size, 100_000):
        writer.write(content[start : start + 100_000])
    writer.close()
    with SealedReader(path, "ab" * 16, cipher, size) as reader:
        assert reader.readall() == content
        reader.seek(-1, io.SEEK_END)
        assert reader.read(10) == content[-1:]
        reader.seek(size // 2)
        reader.seek(0, io.SEEK_CUR)
        assert reader.read(1) == content[size // 2 : size // 2 + 1]
        with pytest.raises(OSError, match="before the beginning"):
            reader.seek(-1)


def sealed(path: Path, cipher: Cipher, file_id: str = "ab" * 16) -> bytes:
    writer = SealedWriter(path, file_id, cipher)
    writer.write(bytes(2 * CHUNK + 5))
    writer.close()
    return path.read_bytes()


def test_a_sealed_file_that_was_touched_is_not_given_out(tmp_path: Path, cipher: Cipher) -> None:
    path = tmp_path / "sealed"
    whole = sealed(path, cipher)
    other = sealed(tmp_path / "other", cipher, "cd" * 16)
    record = (len(whole) - len(whole) % 100) // 2  # somewhere in the middle
    first = int.from_bytes(whole[:4], "big") + 4
    touched = {
        "one bit": whole[:record] + bytes([whole[record] ^ 1]) + whole[record + 1 :],
        "cut short": whole[: 2 * first],
        "cut to nothing": b"",
        "cut in the first length": whole[:2],
        "chunks exchanged": whole[first : 2 * first] + whole[:first] + whole[2 * first :],
        "another file's chunk": other[:first] + whole[first:],
        "a length that lies": b"\xff\xff\xff\xff" + whole[4:],
        "a short record": (8).to_bytes(4, "big") + bytes(8),
    }
    noticed = set()
    for damage, content in touched.items():
        path.write_bytes(content)
        with SealedReader(path, "ab" * 16, cipher, 2 * CHUNK + 5) as reader:
            try:
                reader.readall()
            except FileDamaged:
                noticed.add(damage)
    assert noticed == set(touched)


async def test_a_file_that_is_missing_or_not_what_was_sent_says_so(
    sqlite_database: Database, store: AttachmentStore, conversation: Conversation, now: datetime
) -> None:
    saved = await save(sqlite_database, store, conversation, now)
    exchanged = Attachment(id=saved.id, size=saved.size, sha256="0" * 64)
    with pytest.raises(FileDamaged, match="not what was sent"):
        await store.read(exchanged)
    store.path(saved.id).unlink()
    with pytest.raises(FileDamaged, match="missing"):
        await store.read(saved)


async def test_files_follow_when_the_key_is_rotated(
    sqlite_database: Database, store: AttachmentStore, conversation: Conversation, now: datetime
) -> None:
    saved = await save(sqlite_database, store, conversation, now)
    old, new = bytes(range(32)), bytes(range(1, 33))
    install_cipher(Cipher([new, old]))
    async with sqlite_database.read() as session:
        assert await store.reencrypt(session) == 1
        assert await store.reencrypt(session) == 0
    install_cipher(Cipher([new]))
    assert b"".join([chunk async for chunk in store.open(saved)]) == JPEG_BYTES
    assert len(files_under(store)) == 1


# ---- to whom a file belongs


async def test_a_file_is_found_in_its_own_conversation_only(
    sqlite_database: Database, conversation: Conversation
) -> None:
    async with sqlite_database.transaction() as session:
        mine = await make_attachment(session, await session.get_one(Conversation, conversation.id))
        other = await make_attachment(session)
        assert await attachments.get(session, conversation.id, mine.id) is mine
        for stranger in (other.id, "0" * 32, "../../etc", ""):
            with pytest.raises(NotFound):
                await attachments.get(session, conversation.id, stranger)


async def test_waiting_files_of_the_member_go_to_the_case_and_nobody_elses(database: Database) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        said = await make_message(session, conversation)
        staff = await make_staff(session)
        by_staff = await make_message(session, conversation, author=Author.STAFF, staff_id=staff.id)
        case = await make_case(session, conversation)
        other_case = await make_case(session, conversation)
        sent = await make_attachment(session, conversation, message_id=said.id)
        taken = await make_attachment(session, conversation, message_id=said.id, case_id=other_case.id)
        staffs = await make_attachment(session, conversation, message_id=by_staff.id)
        unsent = await make_attachment(session, conversation)
        elsewhere = await make_attachment(session, message_id=(await make_message(session)).id)
        assert await attachments.attach_waiting(session, conversation.id, case.id) == 1
        assert await attachments.attach_waiting(session, conversation.id, case.id) == 0
        for attachment in (sent, taken, staffs, unsent, elsewhere):
            await session.refresh(attachment)
        assert sent.case_id == case.id
        assert taken.case_id == other_case.id
        assert {staffs.case_id, unsent.case_id, elsewhere.case_id} == {None}
        assert await attachments.of_case(session, case) == [sent]
        assert await attachments.of_messages(session, [said.id, by_staff.id, 99]) == {
            said.id: sorted([sent, taken], key=lambda file: (file.created_at, file.id)),
            by_staff.id: [staffs],
        }


async def test_chosen_files_are_attached_all_or_none(database: Database) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        case = await make_case(session, conversation)
        one = await make_attachment(session, conversation)
        foreign = await make_attachment(session)
        await attachments.attach_to_case(session, [one.id], case)
        await attachments.attach_to_case(session, [one.id], case)
        await attachments.attach_to_case(session, [], case)
        with pytest.raises(NotFound):
            await attachments.attach_to_case(session, [one.id, foreign.id], case)
