"""Chats run side by side, each in its own order, and an album is one message."""

from __future__ import annotations

import asyncio

import pytest
from telegram import Update

from bot.telegram.lanes import Album, Lanes
from tests.bot.telegram import updates as build


def update(chat_id, words, **more):
    return Update.de_json(build.numbered(build.text(chat_id, words, **more)), None)


def photo(chat_id, group, caption=None):
    raw = build.numbered(build.photo(chat_id, "p", caption=caption, media_group_id=group))
    return Update.de_json(raw, None)


class Desk:
    """Takes updates down; one can be made to wait or to break."""

    def __init__(self):
        self.taken = []
        self.gates = {}
        self.breaks = set()

    async def handle(self, item):
        words = (
            [u.message.text or u.message.caption for u in item.updates] if isinstance(item, Album) else None
        )
        words = words if words is not None else item.effective_message.text or item.effective_message.caption
        key = words if isinstance(words, str) else None
        if key in self.gates:
            await self.gates[key].wait()
        if key in self.breaks:
            raise RuntimeError(f"{key} broke")
        self.taken.append(words)


@pytest.fixture
def desk():
    return Desk()


def lanes_that_wait(monkeypatch, desk, seconds):
    """Lanes that wait so long for an album's next photo."""
    monkeypatch.setattr("bot.telegram.lanes.ALBUM_WAIT_S", seconds)
    return Lanes(desk.handle)


async def test_a_chat_keeps_its_order_even_when_its_first_message_takes_long(desk):
    lanes = Lanes(desk.handle)
    desk.gates["一"] = asyncio.Event()
    first, second = lanes.submit(update(1, "一")), lanes.submit(update(1, "二"))
    await asyncio.sleep(0.02)
    assert desk.taken == []
    desk.gates["一"].set()
    await asyncio.gather(first, second)
    assert desk.taken == ["一", "二"]


async def test_a_slow_chat_does_not_hold_up_another(desk):
    lanes = Lanes(desk.handle)
    desk.gates["慢"] = asyncio.Event()
    slow = lanes.submit(update(1, "慢"))
    await lanes.submit(update(2, "快"))
    assert desk.taken == ["快"]
    assert not slow.done()
    desk.gates["慢"].set()
    await slow


async def test_what_waits_behind_a_failure_fails_too_so_that_the_order_is_kept(desk):
    lanes = Lanes(desk.handle)
    desk.breaks.add("一")
    first, second = lanes.submit(update(1, "一")), lanes.submit(update(1, "二"))
    with pytest.raises(RuntimeError, match="一 broke"):
        await first
    with pytest.raises(RuntimeError, match="一 broke"):
        await second
    assert desk.taken == []
    desk.breaks.clear()
    await lanes.submit(update(1, "一"))
    assert desk.taken == ["一"]


async def test_the_photos_of_an_album_become_one_though_they_come_one_by_one(desk, monkeypatch):
    lanes = lanes_that_wait(monkeypatch, desk, 0.2)
    settled = []
    for caption in ("工资条", None, None):
        settled.append(lanes.submit(photo(1, "g1", caption)))
        await asyncio.sleep(0.03)
    await asyncio.gather(*settled)
    assert desk.taken == [["工资条", None, None]]


async def test_two_albums_and_a_text_between_stay_apart(desk, monkeypatch):
    lanes = lanes_that_wait(monkeypatch, desk, 0.05)
    items = [photo(1, "g1", "甲"), photo(1, "g1"), update(1, "说明"), photo(1, "g2", "乙"), photo(1, "g2")]
    await asyncio.gather(*(lanes.submit(item) for item in items))
    assert desk.taken == [["甲", None], "说明", ["乙", None]]


async def test_one_photo_that_claims_to_be_an_album_is_a_photo(desk, monkeypatch):
    lanes = lanes_that_wait(monkeypatch, desk, 0.02)
    await lanes.submit(photo(1, "g1", "单张"))
    assert desk.taken == ["单张"]


async def test_an_album_waits_in_its_own_chat_only(desk, monkeypatch):
    lanes = lanes_that_wait(monkeypatch, desk, 0.3)
    album = lanes.submit(photo(1, "g1", "甲"))
    async with asyncio.timeout(0.2):
        await lanes.submit(update(2, "别人"))
    assert desk.taken == ["别人"]
    await album


async def test_closing_lets_the_quick_finish_and_gives_the_slow_up(desk):
    lanes = Lanes(desk.handle)
    desk.gates["慢"] = asyncio.Event()
    quick, slow = lanes.submit(update(1, "快")), lanes.submit(update(2, "慢"))
    behind = lanes.submit(update(2, "后"))
    await lanes.close(patience_s=0.05)
    assert quick.done()
    assert not quick.cancelled()
    assert slow.cancelled()
    assert behind.cancelled()
    assert desk.taken == ["快"]


async def test_an_empty_lane_leaves_nothing_behind(desk):
    lanes = Lanes(desk.handle)
    for chat in range(20):
        await lanes.submit(update(chat + 1, "好"))
    await asyncio.sleep(0)
    assert lanes._lanes == {}


async def test_an_album_is_named_by_its_first_photo_in_whatever_order_they_come(monkeypatch):
    names = []

    async def handle(item):
        names.append(item.update_id)

    monkeypatch.setattr("bot.telegram.lanes.ALBUM_WAIT_S", 0.05)
    lanes = Lanes(handle)
    first, second = photo(1, "g1"), photo(1, "g1")
    await asyncio.gather(lanes.submit(second), lanes.submit(first))
    assert names == [first.update_id]
