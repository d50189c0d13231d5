"""What is on the disk between Telegram and the database survives a crash and cannot be read."""

from __future__ import annotations

import pytest

from bot.telegram.spool import Spool
from casework.crypto import Cipher, install_cipher


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool")


async def test_what_was_kept_is_found_again_oldest_first(spool, tmp_path):
    await spool.keep(100, {"update_id": 100, "message": {"caption": "后"}})
    await spool.keep(9, {"update_id": 9, "message": {"caption": "先"}})
    found = await Spool(tmp_path / "spool").waiting()
    assert [update["update_id"] for update in found] == [9, 100]
    assert found[0]["message"]["caption"] == "先"


async def test_what_was_dropped_is_gone_and_dropping_twice_is_no_matter(spool):
    await spool.keep(9, {"update_id": 9})
    await spool.drop(9)
    await spool.drop(9)
    assert await spool.waiting() == []


async def test_members_words_are_not_readable_on_the_disk(spool, tmp_path):
    await spool.keep(9, {"update_id": 9, "message": {"caption": "我是张建国"}})
    (path,) = (tmp_path / "spool").iterdir()
    content = path.read_bytes()
    assert "张建国".encode() not in content
    assert b"\\u5f20" not in content


async def test_a_file_no_key_opens_is_left_alone_and_the_others_are_read(spool, tmp_path, cipher, caplog):
    install_cipher(Cipher([bytes(32)]))
    await spool.keep(1, {"update_id": 1})
    install_cipher(cipher)
    await spool.keep(2, {"update_id": 2})
    assert [update["update_id"] for update in await spool.waiting()] == [2]
    assert "cannot be read" in caplog.text
    assert len(list((tmp_path / "spool").iterdir())) == 2


async def test_an_empty_spool_needs_no_folder(tmp_path):
    assert await Spool(tmp_path / "nowhere").waiting() == []
