"""Schemas: what the API takes and gives, with the examples its documentation shows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.views import MAX_CLIENT_MESSAGE_ID, MAX_TEXT, Incoming

MAX_ID = 2**63 - 1
"""The largest message id a database can hold."""


class _In(BaseModel):
    """Something the API takes: a field nobody knows is refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid")


class _Out(BaseModel):
    """Something the API gives."""


class ConversationIn(_In):
    """How a conversation begins; every field may be left out."""

    model_config = ConfigDict(
        title="New conversation", json_schema_extra={"examples": [{"channel": "api", "consent": True}]}
    )
    channel: Annotated[
        Literal["web", "api"], Field(description="Our own web page, or anything else that plugs in.")
    ] = "api"
    consent: Annotated[bool, Field(description="The member has read and accepted the privacy note.")] = False


class ConversationOut(_Out):
    """A new conversation; the token is shown this once and is the only key to it."""

    model_config = ConfigDict(
        title="Conversation",
        json_schema_extra={"examples": [{"conversation_id": "0f3c…", "token": "k7Qn…", "consent": True}]},
    )
    conversation_id: str
    token: str
    consent: bool


class LocationIn(_In):
    """A position in degrees (WGS 84)."""

    model_config = ConfigDict(title="Position")
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class MessageIn(_In):
    """A member's message: a text (with files, if any), or a button's payload, or a position."""

    model_config = ConfigDict(
        title="New message",
        json_schema_extra={
            "examples": [
                {"client_message_id": "8b1f-1", "text": "俺在历下区干了仨月没给钱"},
                {"client_message_id": "8b1f-2", "payload": "b:3q2xkP0aQwE8r1Zs"},
                {"client_message_id": "8b1f-3", "location": {"latitude": 36.66, "longitude": 117.05}},
                {"client_message_id": "8b1f-4", "text": "这是工资条", "attachment_ids": ["5d2e…"]},
            ]
        },
    )
    client_message_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_CLIENT_MESSAGE_ID,
            description="Your own name for this message. Sent again, it is the same message and gets the "
            "same replies: repeat a request that timed out without fear.",
        ),
    ]
    text: Annotated[str | None, Field(description=f"Up to {MAX_TEXT} characters.")] = None
    payload: Annotated[
        str | None,
        Field(
            max_length=80,
            description="A button's payload as we sent it, or start, menu, cases, human, privacy, forget.",
        ),
    ] = None
    location: LocationIn | None = None
    attachment_ids: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Field(max_length=50, description="Files uploaded to this conversation before."),
    ] = []

    def as_incoming(self, conversation_id: str) -> Incoming:
        """The message as the switchboard takes it."""
        return Incoming(
            conversation_id=conversation_id,
            client_message_id=self.client_message_id,
            text=self.text,
            payload=self.payload,
            location=(self.location.latitude, self.location.longitude) if self.location else None,
            attachment_ids=tuple(self.attachment_ids),
        )


class ButtonOut(_Out):
    """A button: show the title, send the payload back."""

    model_config = ConfigDict(title="Button")
    title: str
    payload: str


class SourceOut(_Out):
    """Where an answer comes from, and the day it was checked."""

    model_config = ConfigDict(title="Source")
    title: str
    article: str | None
    as_of: str | None


class AttachmentOut(_Out):
    """A file; size in bytes."""

    model_config = ConfigDict(title="Attachment")
    id: str
    filename: str
    media_type: str
    size: int


class MessageOut(_Out):
    """A message as it is shown."""

    model_config = ConfigDict(
        title="Message",
        json_schema_extra={
            "examples": [
                {
                    "id": 18,
                    "author": "bot",
                    "text": "工资必须按月付给本人……",
                    "buttons": [{"title": "开工单，请工会跟进", "payload": "b:3q2xkP0aQwE8r1Zs"}],
                    "attachments": [],
                    "topic": "labour.wage_arrears",
                    "sources": [
                        {"title": "中华人民共和国劳动法", "article": "第五十条", "as_of": "2025-04-30"}
                    ],
                    "vote": "open",
                    "created_at": "2026-11-22T03:04:05Z",
                }
            ]
        },
    )
    id: int
    author: Literal["member", "bot", "staff", "system"]
    text: str
    buttons: list[ButtonOut]
    attachments: list[AttachmentOut]
    topic: str | None
    sources: list[SourceOut]
    vote: Annotated[
        Literal["open", "helpful", "unhelpful"] | None,
        Field(
            description="Whether it helped: `open` until the member says so. Null: do not ask about this one."
        ),
    ]
    created_at: datetime


class ReceiptOut(_Out):
    """What became of a message, and what is said to it."""

    model_config = ConfigDict(title="Receipt")
    message_id: int
    duplicate: Annotated[
        bool, Field(description="It had been received before; these are the replies given then.")
    ]
    owner: Annotated[
        Literal["bot", "queued", "human"],
        Field(description="Who speaks now. While queued or human, replies come later: watch the events."),
    ]
    badge: Annotated[
        str | None, Field(description="While human: the number of the worker who answers, if they have one.")
    ] = None
    ahead: Annotated[int | None, Field(description="While queued: how many members are before this one.")] = (
        None
    )
    minutes: Annotated[
        int | None,
        Field(description="While queued: about how many minutes it will take; null while nobody can tell."),
    ] = None
    messages: list[MessageOut]


class MessagesOut(_Out):
    """Messages of a conversation, oldest first."""

    model_config = ConfigDict(title="Messages")
    messages: list[MessageOut]


class ConsentIn(_In):
    """Agreement to the privacy note."""

    model_config = ConfigDict(title="Consent", json_schema_extra={"examples": [{"consent": True}]})
    consent: Literal[True]


class ConsentOut(_Out):
    """The version of the privacy note that was agreed to."""

    model_config = ConfigDict(title="Consent given")
    consent: bool
    version: str


class HealthOut(_Out):
    """Whether each process answers."""

    model_config = ConfigDict(
        title="Health",
        json_schema_extra={
            "examples": [
                {"status": "ok", "processes": {"bot": True, "database": True, "rasa": True, "actions": True}}
            ]
        },
    )
    status: Literal["ok", "degraded"]
    processes: dict[str, bool]


class ErrorBody(_Out):
    """What went wrong: a code for programs, a sentence for people, and where it was."""

    code: str
    message: str
    details: list[dict[str, Any]]


class ErrorOut(_Out):
    """The one shape of every error."""

    model_config = ConfigDict(
        title="Error",
        json_schema_extra={
            "examples": [
                {
                    "error": {
                        "code": "message_too_long",
                        "message": "这条消息有 20000 字，一次最多 4000 字……",
                        "details": [{"limit": 4000, "length": 20000}],
                    }
                }
            ]
        },
    )
    error: ErrorBody
