"""What travels between channels and switchboard: an incoming message, its receipt, and a message as shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from casework.standing import Standing
from casework.tables import Owner

COMMANDS = ("start", "menu", "cases", "human", "privacy", "forget")
"""The payloads a channel may send without a button of ours."""

PRIVACY_VERSION = "2026-11"
"""Which privacy note members agree to now; a new text is a new version."""

MAX_CLIENT_MESSAGE_ID = 80
MAX_TEXT = 4000
"""Characters of one message; a longer one is refused with the limit said, never cut."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as a channel hands it in; at least one of text, payload, location and attachments."""

    conversation_id: str
    client_message_id: str
    """The sender's own name for it (1 to 80 characters): sent twice, it is one message."""
    text: str | None = None
    payload: str | None = None
    """A button token of ours (``b:…``) or one of COMMANDS."""
    location: tuple[float, float] | None = None
    """Latitude and longitude in degrees."""
    attachment_ids: tuple[str, ...] = ()
    """Files already saved through ``casework.attachments``."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message; ``payload`` is sent back as it is."""

    title: str
    payload: str

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {"title": self.title, "payload": self.payload}


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer comes from, and the date it was checked (ISO)."""

    title: str
    article: str | None = None
    as_of: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {"title": self.title, "article": self.article, "as_of": self.as_of}


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """A file of a message; ``size`` in bytes."""

    id: str
    filename: str
    media_type: str
    size: int

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {"id": self.id, "filename": self.filename, "media_type": self.media_type, "size": self.size}


class Vote(StrEnum):
    """Whether a message helped: nothing was said about it yet, or what was said last."""

    OPEN = "open"
    HELPFUL = "helpful"
    UNHELPFUL = "unhelpful"

    @classmethod
    def of(cls, helpful: bool) -> Vote:
        """What a member said."""
        return cls.HELPFUL if helpful else cls.UNHELPFUL


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message as a channel shows it."""

    id: int
    author: str
    """member, bot, staff or system."""
    text: str
    created_at: datetime
    buttons: list[Button] = field(default_factory=list)
    attachments: list[AttachmentView] = field(default_factory=list)
    topic: str | None = None
    sources: list[Source] = field(default_factory=list)
    vote: Vote | None = None
    """None: a member is not asked whether it helped."""

    def to_json(self) -> dict[str, Any]:
        """The API's message object."""
        return {
            "id": self.id,
            "author": self.author,
            "text": self.text,
            "buttons": [button.to_json() for button in self.buttons],
            "attachments": [attachment.to_json() for attachment in self.attachments],
            "topic": self.topic,
            "sources": [source.to_json() for source in self.sources],
            "vote": None if self.vote is None else self.vote.value,
            "created_at": self.created_at.isoformat().replace("+00:00", "Z"),
        }


@dataclass(frozen=True, slots=True)
class Speaking:
    """Who speaks with a member now: ``bot``, ``queued`` (a human was called) or ``human``."""

    owner: str
    badge: str | None = None
    """While human: the worker's number, if they have one."""
    ahead: int | None = None
    """While queued: how many are before the member."""
    minutes: int | None = None
    """While queued: about how long it will take, where an honest estimate is possible."""

    @classmethod
    def of(cls, standing: Standing) -> Speaking:
        """What a standing says about it."""
        place = standing.place
        return cls(
            standing.owner.value,
            standing.badge,
            None if place is None else place.ahead,
            None if place is None else place.minutes,
        )

    def to_json(self) -> dict[str, Any]:
        """As the API shows it: what belongs to another owner is left out."""
        if self.owner == Owner.QUEUED:
            return {"owner": self.owner, "ahead": self.ahead, "minutes": self.minutes}
        if self.owner == Owner.HUMAN:
            return {"owner": self.owner, "badge": self.badge}
        return {"owner": self.owner}


@dataclass(frozen=True, slots=True)
class Typing:
    """Whether the worker who speaks with a member is writing just now."""

    on: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one incoming message."""

    message_id: int
    duplicate: bool
    """It had been received before; ``replies`` are the ones given then."""
    speaking: Speaking
    """Who speaks in the conversation after this message."""
    replies: list[MessageView]

    @property
    def owner(self) -> str:
        """Who speaks in the conversation after this message: bot, queued or human."""
        return self.speaking.owner
