"""Files over the API: taken as they arrive, shown to their own conversation, refused with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bot.api import attachments as room
from bot.house import House
from casework.settings import MIB
from tests.bot.api.conftest import Phone, new_phone
from tests.bot.api.test_bad_input import error_of
from tests.bot.fakes import Script

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 40
BORDER = "the-border-between-parts"
FORM = f"multipart/form-data; boundary={BORDER}"


async def upload(phone: Phone, name: str, content: bytes, kind: str) -> httpx.Response:
    """Upload one file as a browser does."""
    files = {"file": (name, content, kind)}
    return await phone.client.post(f"{phone.url}/attachments", files=files, headers=phone.headers)


async def post_form(phone: Phone, body: bytes | AsyncIterator[bytes], kind: str = FORM) -> httpx.Response:
    """Post a body that says it is a form."""
    headers = {**phone.headers, "Content-Type": kind}
    return await phone.client.post(f"{phone.url}/attachments", content=body, headers=headers)


def part(
    content: bytes, disposition: str = 'name="file"; filename="a.jpg"', kind: str = "image/jpeg"
) -> bytes:
    """One part of a form."""
    head = f"--{BORDER}\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: {kind}\r\n\r\n"
    return head.encode() + content + b"\r\n"


END = f"--{BORDER}--\r\n".encode()


def files_under(house: House) -> list[Path]:
    """Every file in the store's folder."""
    return [path for path in house.attachments.root.rglob("*") if path.is_file()]


async def test_a_photo_is_uploaded_sent_shown_and_fetched(phone: Phone, script: Script, house: House) -> None:
    response = await upload(phone, "工资条 (11月).jpg", JPEG, "image/jpeg")
    assert response.status_code == 201
    photo = response.json()
    assert (photo["filename"], photo["media_type"], photo["size"]) == (
        "工资条 (11月).jpg",
        "image/jpeg",
        len(JPEG),
    )
    said = {"client_message_id": "m1", "text": "这是工资条", "attachment_ids": [photo["id"]]}
    assert (await phone.post("/messages", said)).status_code == 200
    assert [one.text for one in script.heard] == [
        f'/send_attachment{{"attachment_id": "{photo["id"]}"}}',
        "这是工资条",
    ]
    assert (await phone.get("/messages")).json()["messages"][0]["attachments"] == [photo]
    fetched = await phone.get(f"/attachments/{photo['id']}")
    assert (fetched.status_code, fetched.content) == (200, JPEG)
    assert fetched.headers["content-type"] == "image/jpeg"
    assert fetched.headers["content-length"] == str(len(JPEG))
    assert fetched.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E5%B7%A5")
    assert fetched.headers["x-content-type-options"] == "nosniff"
    assert fetched.headers["content-security-policy"] == "sandbox; default-src 'none'"
    (stored,) = files_under(house)
    assert JPEG[:20] not in stored.read_bytes()


async def test_several_files_of_one_message_are_one_thing_for_the_dialogue(
    phone: Phone, script: Script
) -> None:
    ids = [(await upload(phone, f"{n}.jpg", JPEG, "image/jpeg")).json()["id"] for n in range(3)]
    await phone.post("/messages", {"client_message_id": "m1", "attachment_ids": ids})
    assert [one.text for one in script.heard] == [f'/send_attachment{{"attachment_id": "{ids[0]}"}}']
    shown = (await phone.get("/messages")).json()["messages"][0]["attachments"]
    assert sorted(one["id"] for one in shown) == sorted(ids)


async def test_a_file_belongs_to_its_conversation_and_to_one_message(phone: Phone) -> None:
    other = await new_phone(phone.client)
    photo = (await upload(phone, "a.jpg", JPEG, "image/jpeg")).json()["id"]
    stolen = {"client_message_id": "m1", "text": "看", "attachment_ids": [photo]}
    assert (await other.post("/messages", stolen)).status_code == 404
    assert (await other.get(f"/attachments/{photo}")).status_code == 404
    assert (await phone.post("/messages", stolen)).status_code == 200
    again = {**stolen, "client_message_id": "m2"}
    assert (await phone.post("/messages", again)).status_code == 404


@pytest.mark.parametrize("name", ["0" * 32, "nothing", "照片", "%00", "..%2f..%2fniangjia.db"])
async def test_a_file_that_is_not_there_is_404(phone: Phone, name: str) -> None:
    response = await phone.client.get(f"{phone.url}/attachments/{name}", headers=phone.headers)
    assert response.status_code == 404
    error_of(response)


@pytest.mark.parametrize(
    ("name", "content", "kind", "status", "word"),
    [
        ("a.jpg", b"", "image/jpeg", 422, "空的"),
        ("a.exe", b"MZ\x90\x00" + bytes(500), "application/x-msdownload", 415, "收不了"),
        ("a.html", b"\x00<html><script>alert(1)</script>\xff", "text/html", 415, "收不了"),
        ("a.jpg", b"%PDF-1.7" + bytes(500), "image/jpeg", 415, "对不上"),
        ("a.zip", b"PK\x03\x04" + bytes(500), "application/zip", 415, "收不了"),
    ],
)
async def test_a_file_we_do_not_take_is_refused_with_a_reason_and_leaves_nothing(
    phone: Phone, house: House, name: str, content: bytes, kind: str, status: int, word: str
) -> None:
    response = await upload(phone, name, content, kind)
    assert response.status_code == status
    error = error_of(response)
    assert error["code"] == "attachment_refused"
    assert word in error["message"]
    assert files_under(house) == []


class Flood:
    """A file that never seems to end; counts what was taken of it."""

    def __init__(self, mib: int) -> None:
        self.mib = mib
        self.taken = 0

    def pieces(self) -> Iterator[bytes]:
        """The form, a mebibyte at a time."""
        yield part(JPEG)[:-2]
        for _ in range(self.mib):
            self.taken += 1
            yield bytes(MIB)
        yield b"\r\n" + END

    async def stream(self) -> AsyncIterator[bytes]:
        """The form as a client without a length sends it."""
        for piece in self.pieces():
            yield piece


async def test_two_hundred_megabytes_are_cut_off_at_the_limit(phone: Phone, house: House) -> None:
    flood = Flood(200)
    response = await post_form(phone, flood.stream())
    assert response.status_code == 413
    assert "10" in error_of(response)["message"]
    assert flood.taken <= 12
    assert files_under(house) == []


async def test_two_hundred_megabytes_that_say_so_are_refused_unread(phone: Phone) -> None:
    flood = Flood(200)
    headers = {**phone.headers, "Content-Type": FORM, "Content-Length": str(200 * MIB)}
    response = await phone.client.post(f"{phone.url}/attachments", content=flood.stream(), headers=headers)
    assert (response.status_code, flood.taken) == (413, 0)
    error_of(response)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FORM),
        (END, FORM),
        (b"not a form at all", FORM),
        (part(JPEG) + END, "multipart/form-data"),
        (part(JPEG) + END, f"multipart/form-data; boundary={'x' * 500}"),
        (part(JPEG) + END, "multipart/form-data; boundary=another"),
        (part(JPEG), "application/json"),
        (part(JPEG, 'name="photo"; filename="a.jpg"') + END, FORM),
        (part(JPEG, 'name="file"') + END, FORM),
        (part(JPEG)[:-40], FORM),
        (b'{"file": "a"}', "application/json"),
    ],
)
async def test_a_body_that_is_no_form_with_a_file_is_400_and_leaves_nothing(
    phone: Phone, house: House, body: bytes, kind: str
) -> None:
    response = await post_form(phone, body, kind)
    assert response.status_code == 400
    assert error_of(response)["code"] == "bad_form"
    assert files_under(house) == []


async def test_a_form_in_crumbs_with_other_fields_around_is_read_the_same(phone: Phone) -> None:
    body = part(b"a note", 'name="note"', "text/plain") + part(JPEG) + part(b"more", 'name="more"') + END

    async def crumbs() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]

    response = await post_form(phone, crumbs())
    assert response.status_code == 201
    assert (await phone.get(f"/attachments/{response.json()['id']}")).content == JPEG


async def test_a_day_has_a_limit(phone: Phone, house: House) -> None:
    allowed = house.settings.attachments_per_day
    statuses = [
        (await upload(phone, f"{n}.jpg", JPEG + bytes([n]), "image/jpeg")).status_code
        for n in range(allowed + 1)
    ]
    assert statuses == [201] * allowed + [429]


async def test_an_upload_that_dawdles_is_408_and_leaves_nothing(
    phone: Phone, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "UPLOAD_TIME_LIMIT_S", 0.05)

    async def dawdle() -> AsyncIterator[bytes]:
        yield part(JPEG)[:200]
        await asyncio.sleep(5)
        yield b""

    response = await post_form(phone, dawdle())
    assert (response.status_code, error_of(response)["code"]) == (408, "too_slow")
    assert files_under(house) == []


async def test_a_damaged_file_is_a_fault_and_not_half_a_download(
    phone: Phone, house: House, app: FastAPI
) -> None:
    photo = (await upload(phone, "a.jpg", JPEG, "image/jpeg")).json()["id"]
    house.attachments.path(photo).write_bytes(b"something else")
    response = await phone.get(f"/attachments/{photo}")
    assert response.status_code == 500
    error_of(response)
