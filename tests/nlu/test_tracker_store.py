"""Rasa's dialogues in our store: the same dialogue comes back, encrypted, trimmed, and never half-changed."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rasa.core.tracker_store import FailSafeTrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from nlu.tracker_cipher import TrackerCipher, TrackerKeyError
from nlu.tracker_store import KEEP_AT_MOST, ConversationTrackerStore, DialogueConflict

DOMAIN = Domain.from_yaml("""
version: "3.1"
intents: [tell]
slots:
  district: {type: any, mappings: [{type: custom}]}
  misses: {type: any, initial_value: 0, mappings: [{type: custom}]}
  requested_slot: {type: any, influence_conversation: false, mappings: [{type: custom}]}
forms:
  case_form: {required_slots: [district]}
actions: [action_answer]
""")
SECRET = "我叫王某，电话13800001234"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIANGJIA_DATA_KEY", base64.b64encode(bytes(32)).decode())


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ConversationTrackerStore]:
    opened = make_store(tmp_path)
    yield opened
    await opened.close()


def make_store(folder: Path) -> ConversationTrackerStore:
    return ConversationTrackerStore(DOMAIN, host=f"sqlite+aiosqlite:///{folder / 'trackers.db'}")


def turn(tracker: DialogueStateTracker, text: str, **slots: object) -> None:
    tracker.update(UserUttered(text, {"name": "tell", "confidence": 1.0}, []))
    for name, value in slots.items():
        tracker.update(SlotSet(name, value))
    tracker.update(ActionExecuted("action_answer"))
    tracker.update(BotUttered(f"关于{text}"))
    tracker.update(ActionExecuted(ACTION_LISTEN_NAME))


async def begin(store: ConversationTrackerStore, sender: str = "c1") -> DialogueStateTracker:
    tracker = await store.get_or_create_tracker(sender, append_action_listen=False)
    tracker.update(ActionExecuted(ACTION_SESSION_START_NAME))
    tracker.update(SessionStarted())
    tracker.update(ActionExecuted(ACTION_LISTEN_NAME))
    return tracker


def all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def state(tracker: DialogueStateTracker) -> tuple[object, ...]:
    return (
        tracker.current_slot_values(),
        tracker.active_loop_name,
        tracker.latest_action_name,
        tracker.latest_message.text if tracker.latest_message else None,
    )


async def test_a_dialogue_comes_back_after_a_restart_of_rasa(
    store: ConversationTrackerStore, tmp_path: Path
) -> None:
    tracker = await begin(store)
    turn(tracker, SECRET, district="历下区")
    tracker.update(ActiveLoop("case_form"))
    await store.save(tracker)
    reopened = make_store(tmp_path)
    found = await reopened.retrieve("c1")
    await reopened.close()
    assert found is not None
    assert list(found.events) == list(tracker.events)
    assert state(found) == state(tracker)


async def test_nothing_a_member_said_is_readable_on_the_disk(
    store: ConversationTrackerStore, tmp_path: Path
) -> None:
    tracker = await begin(store)
    turn(tracker, SECRET)
    await store.save(tracker)
    written = all_bytes(tmp_path)
    assert len(written) > 100
    assert SECRET.encode() not in written
    assert b"13800001234" not in written


async def test_a_turn_that_fails_half_way_leaves_no_trace(store: ConversationTrackerStore) -> None:
    tracker = await begin(store)
    turn(tracker, "第一句")
    await store.save(tracker)
    before = len(tracker.events)
    broken = await store.retrieve("c1")
    assert broken is not None
    broken.update(UserUttered("第二句", {"name": "tell", "confidence": 1.0}, []))
    again = await store.retrieve("c1")
    assert again is not None
    assert len(again.events) == before


async def test_a_first_turn_that_never_ended_is_begun_again(
    store: ConversationTrackerStore, tmp_path: Path
) -> None:
    # As Rasa wraps it, a new dialogue is stored before its first turn, and the turn may never end.
    begun = await FailSafeTrackerStore(store).get_or_create_tracker("c1", append_action_listen=False)
    begun.update(UserUttered(SECRET, {"name": "tell", "confidence": 1.0}, []))
    assert await store.peek("c1") is None
    again = await store.retrieve("c1")
    assert again is not None
    assert list(again.events) == []
    other = make_store(tmp_path)
    try:
        tracker = await other.retrieve("c1")
        assert tracker is not None
        assert list(tracker.events) == []
        tracker.update(ActionExecuted(ACTION_SESSION_START_NAME))
        turn(tracker, f"一行\u2028两行{SECRET}", district="历下")
        await other.save(tracker)
    finally:
        await other.close()
    found = await store.retrieve("c1")
    assert found is not None
    assert found.get_slot("district") == "历下"
    assert found.latest_message is not None
    assert found.latest_message.text == f"一行\u2028两行{SECRET}"


async def test_a_long_dialogue_is_folded_without_losing_its_state(store: ConversationTrackerStore) -> None:
    tracker = await begin(store)
    turn(tracker, "开头", district="章丘区", misses=2)
    tracker.update(ActionExecuted("case_form"))
    tracker.update(ActiveLoop("case_form"))
    tracker.update(SlotSet("requested_slot", "district"))
    tracker.update(ActionExecuted(ACTION_LISTEN_NAME))
    for number in range(60):
        turn(tracker, f"第{number}句")
    expected = state(tracker)
    assert len(tracker.events) > KEEP_AT_MOST
    await store.save(tracker)
    found = await store.retrieve("c1")
    assert found is not None
    assert len(found.events) < KEEP_AT_MOST
    assert state(found) == expected
    turn(found, "之后还能继续")
    await store.save(found)
    last = await store.retrieve("c1")
    assert last is not None
    assert last.latest_message is not None
    assert last.latest_message.text == "之后还能继续"


async def test_a_restart_forgets_what_was_said_before(
    store: ConversationTrackerStore, tmp_path: Path
) -> None:
    tracker = await begin(store)
    turn(tracker, SECRET, district="历下区")
    await store.save(tracker)
    tracker = await store.retrieve("c1")
    assert tracker is not None
    tracker.update(Restarted())
    tracker.update(ActionExecuted(ACTION_LISTEN_NAME))
    await store.save(tracker)
    fresh = make_store(tmp_path)
    found = await fresh.retrieve("c1")
    await fresh.close()
    assert found is not None
    assert all(getattr(event, "text", None) != SECRET for event in found.events)
    assert found.get_slot("district") is None


async def test_two_replicas_never_overwrite_each_other(
    store: ConversationTrackerStore, tmp_path: Path
) -> None:
    tracker = await begin(store)
    turn(tracker, "第一句")
    await store.save(tracker)
    other = make_store(tmp_path)
    here, there = await store.retrieve("c1"), await other.retrieve("c1")
    assert here is not None
    assert there is not None
    turn(there, "另一台答的")
    await other.save(there)
    turn(here, "这一台答的")
    with pytest.raises(DialogueConflict):
        await store.save(here)
    seen = await store.retrieve("c1")
    await other.close()
    assert seen is not None
    assert seen.latest_message is not None
    assert seen.latest_message.text == "另一台答的"


async def test_a_stored_dialogue_cannot_be_moved_to_another_conversation() -> None:
    cipher = TrackerCipher([bytes(32)])
    stored = cipher.encrypt("c1", b"said")
    assert cipher.decrypt("c1", stored) == b"said"
    with pytest.raises(TrackerKeyError):
        cipher.decrypt("c2", stored)


def test_after_a_key_rotation_the_old_key_still_reads() -> None:
    old, new = bytes(32), bytes([1]) * 32
    stored = TrackerCipher([old]).encrypt("c1", b"said")
    assert TrackerCipher([new, old]).decrypt("c1", stored) == b"said"
    with pytest.raises(TrackerKeyError):
        TrackerCipher([new]).decrypt("c1", stored)
