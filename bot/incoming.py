"""Incoming: what a member sent, made safe to keep and to pass on, or refused with a sentence."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Sequence
from typing import Any

from bot.views import COMMANDS, MAX_TEXT, Incoming
from casework.errors import AttachmentRefused, BadInput

BUTTON_PREFIX = "b:"

PAYLOAD_OF_COMMAND = {
    "start": "/greet",
    "menu": "/show_menu",
    "cases": "/request_case_status",
    "human": "/request_human",
    "privacy": "/ask_privacy",
    "forget": "/request_forget",
}
"""What a channel's command is for the dialogue (docs/architecture.md)."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"})


class EmptyMessage(BadInput):
    """Nothing a person could read: no text, or only blanks and control characters."""

    code = "empty_message"


class MessageTooLong(BadInput):
    """More than 4,000 characters; ``values`` hold ``limit`` and ``length``."""

    code = "message_too_long"


class UnknownButton(BadInput):
    """A button token we did not issue in this conversation, or a command that does not exist."""

    code = "unknown_button"


class BadLocation(BadInput):
    """A position that is not on the earth."""

    code = "bad_location"


def checked(incoming: Incoming, attachments_per_message: int) -> Incoming:
    """The message with its text cleaned; raises BadInput (EmptyMessage, …) that says what to change.

    Text may carry attachments; a button or command, and a position, come alone.
    """
    text = None if incoming.text is None else clean_text(incoming.text)
    if text is not None and len(text) > MAX_TEXT:
        raise MessageTooLong(limit=MAX_TEXT, length=len(text))
    if incoming.payload is not None and not is_payload(incoming.payload):
        raise UnknownButton()
    if incoming.location is not None:
        _check_location(*incoming.location)
    if len(set(incoming.attachment_ids)) != len(incoming.attachment_ids):
        raise BadInput("an attachment is listed twice")
    if len(incoming.attachment_ids) > attachments_per_message:
        raise AttachmentRefused(reason="per_message", limit=attachments_per_message)
    kinds = [incoming.payload is not None, incoming.location is not None]
    kinds.append(incoming.text is not None or bool(incoming.attachment_ids))
    if sum(kinds) > 1:
        raise BadInput("a message is a text, a button or a position, not several of them")
    if text is not None and not is_readable(text):
        text = None
    if (
        text is None
        and incoming.payload is None
        and incoming.location is None
        and not incoming.attachment_ids
    ):
        raise EmptyMessage()
    return Incoming(
        conversation_id=incoming.conversation_id,
        client_message_id=incoming.client_message_id,
        text=text,
        payload=incoming.payload,
        location=incoming.location,
        attachment_ids=incoming.attachment_ids,
    )


def clean_text(text: str) -> str:
    """The text without control characters (line breaks and tabs stay), broken surrogates and outer blanks."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    lines = whole.replace("\r\n", "\n").replace("\r", "\n")
    kept = (one for one in lines if one in "\n\t" or unicodedata.category(one) != "Cc")
    return "".join(kept).strip()


def is_readable(text: str) -> bool:
    """Whether there is anything to see in the text (emoji count, zero-width characters do not)."""
    return any(unicodedata.category(one) not in _INVISIBLE for one in text)


def is_payload(payload: str) -> bool:
    """Whether this looks like a button of ours or a command; what the button means is looked up later."""
    return payload in COMMANDS or payload.startswith(BUTTON_PREFIX)


def as_words(text: str) -> str:
    """A member's own text as the dialogue may see it: never a command, whatever it starts with."""
    return f"／{text[1:]}" if text.startswith("/") else text


def as_position(latitude: float, longitude: float) -> str:
    """A shared position as the dialogue's payload (degrees)."""
    return "/share_location" + json.dumps({"latitude": latitude, "longitude": longitude})


def as_files(attachment_ids: Sequence[str]) -> str:
    """Files as the dialogue's payload.

    One payload for all of them: the action takes whatever waits in the conversation, so a payload for
    each would add the same supplement several times.
    """
    return "/send_attachment" + json.dumps({"attachment_id": attachment_ids[0]})


def content_of(incoming: Incoming) -> dict[str, Any] | None:
    """What is kept beside the text."""
    content: dict[str, Any] = {}
    if incoming.payload is not None:
        content["payload"] = incoming.payload
    if incoming.location is not None:
        latitude, longitude = incoming.location
        content["location"] = {"latitude": latitude, "longitude": longitude}
    return content or None


def _check_location(latitude: float, longitude: float) -> None:
    # A comparison with NaN is false, so "not in range" would let it through the other way round.
    if not (
        math.isfinite(latitude) and math.isfinite(longitude) and abs(latitude) <= 90 and abs(longitude) <= 180
    ):
        raise BadLocation()
