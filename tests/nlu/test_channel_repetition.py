"""The channel knows a message it has answered before, also when one message comes in two parts."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.shared.core.events import BotUttered, Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from nlu.channel import _answered_before

PHOTO = '/send_attachment{"attachment_id": "a1"}'


class Store:
    """A tracker store with one conversation."""

    def __init__(self, *events: Event) -> None:
        self._tracker = DialogueStateTracker("c1", [])
        for event in events:
            self._tracker.update(event)

    async def retrieve(self, sender: str) -> DialogueStateTracker | None:
        """The conversation."""
        return self._tracker if sender == "c1" else None


def user(text: str, message_id: int) -> UserUttered:
    """A member's message."""
    return UserUttered(text, metadata={"message_id": message_id})


@pytest.mark.parametrize(
    ("message", "message_id", "said"),
    [
        ("这是工资条", 7, ["收到您的话。", "还有吗？"]),
        ("  这是工资条 ", 7, ["收到您的话。", "还有吗？"]),
        (PHOTO, 7, ["照片收到了。"]),
        ("这是工资条", 8, None),
        ("别的话", 7, None),
        ("早先的话", 6, None),
        ("这是工资条", None, None),
    ],
)
async def test_what_was_said_to_each_part_of_a_message_is_found_again(
    message: str, message_id: int | None, said: list[str] | None
) -> None:
    store = Store(
        user("早先的话", 6),
        BotUttered("您好。"),
        user(PHOTO, 7),
        BotUttered("照片收到了。"),
        user("这是工资条", 7),
        BotUttered("收到您的话。"),
        BotUttered("还有吗？"),
    )
    found: dict[str, Any] | None = await _answered_before(store, "c1", message, {"message_id": message_id})
    assert (None if found is None else [one["text"] for one in found["messages"]]) == said


async def test_a_conversation_nobody_knows_was_not_answered() -> None:
    assert await _answered_before(Store(), "c2", "你好", {"message_id": 1}) is None
