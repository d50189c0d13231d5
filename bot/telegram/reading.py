"""Reading: what a member's Telegram message says, put into our own terms without asking anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from telegram import Message, Update
from telegram.ext import filters

from bot.views import COMMANDS


class Heard(StrEnum):
    """Recordings we keep but cannot understand, and say so."""

    VOICE = "voice"
    AUDIO = "audio"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class FileOffer:
    """A file Telegram keeps for us: what to ask for, and what the sender's app said about it."""

    file_id: str
    filename: str
    media_type: str | None
    """As the sender's app said; None where Telegram itself does not know (photos)."""
    size: int | None
    """Bytes, as far as Telegram knows."""


@dataclass(frozen=True, slots=True)
class SharedContact:
    """A phone number shared from the address book; ``own`` when it is the sender's."""

    phone: str
    name: str
    own: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What one message (or one album) holds."""

    text: str | None = None
    location: tuple[float, float] | None = None
    """Latitude and longitude in degrees."""
    contact: SharedContact | None = None
    files: tuple[FileOffer, ...] = ()
    heard: Heard | None = None
    unsupported: str | None = None
    """The kind of a message we cannot read (sticker, poll, …); the wording knows it by this name."""
    sticker: str = ""
    """The emoji a sticker stands for."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it for anybody to answer (a service message)."""
        return not (self.text or self.location or self.contact or self.files or self.unsupported is not None)


def read_message(message: Message) -> Reading:
    """Read one message; a service message (something was pinned, a chat was renamed) reads as empty."""
    text = message.text or message.caption or None
    if offer := _file(message):
        return Reading(text=text, files=(offer,), heard=_heard(message))
    if message.venue or message.location:
        place = message.venue.location if message.venue else message.location
        if place is not None:
            return Reading(text=text, location=(place.latitude, place.longitude))
    if contact := message.contact:
        own = message.from_user is not None and contact.user_id == message.from_user.id
        name = " ".join(part for part in (contact.last_name, contact.first_name) if part)
        return Reading(contact=SharedContact(contact.phone_number, name, own))
    if text:
        return Reading(text=text)
    if filters.StatusUpdate.ALL.check_update(Update(0, message=message)):
        return Reading()
    if message.sticker:
        return Reading(unsupported="sticker", sticker=message.sticker.emoji or "")
    for kind in ("poll", "dice", "game", "story", "checklist", "invoice", "paid_media"):
        if message[kind]:
            return Reading(unsupported=kind)
    return Reading(unsupported="other")


def read_album(messages: Sequence[Message]) -> Reading:
    """Read the messages of one album as one: their captions in order, all their files."""
    readings = [read_message(message) for message in messages]
    captions = list(dict.fromkeys(reading.text for reading in readings if reading.text))
    return Reading(
        text="\n".join(captions) or None,
        files=tuple(offer for reading in readings for offer in reading.files),
        heard=next((reading.heard for reading in readings if reading.heard), None),
    )


def read_correction(message: Message) -> Reading:
    """Read an edited message: its words, else its files; a live location that moves reads as empty."""
    reading = read_message(message)
    if reading.text:
        return Reading(text=reading.text)
    return Reading() if reading.location else reading


def read_command(message: Message, bot_username: str) -> tuple[str, str] | None:
    """The command a message begins with, and the words after it; None when it is not one of ours.

    ``/menu@another_bot`` is not ours; ``/help`` is another word for ``/menu``.
    """
    text = message.text or ""
    if not text.startswith("/"):
        return None
    head, _, words = text.partition(" ")
    name, _, addressee = head[1:].partition("@")
    if addressee and addressee.lower() != bot_username.lower():
        return None
    name = {"help": "menu"}.get(name.lower(), name.lower())
    return (name, words.strip()) if name in COMMANDS else None


def _heard(message: Message) -> Heard | None:
    if message.voice:
        return Heard.VOICE
    if message.audio:
        return Heard.AUDIO
    return Heard.VIDEO if message.video_note or message.video else None


def _file(message: Message) -> FileOffer | None:
    """The file of a message; of a photo its largest size. A name of ours has no ending: the bytes decide."""
    number = message.message_id
    if message.photo:
        largest = max(message.photo, key=lambda size: (size.width * size.height, size.file_size or 0))
        return FileOffer(largest.file_id, f"photo-{number}", None, largest.file_size)
    if named := message.animation or message.document or message.audio or message.video:
        filename = named.file_name or f"file-{number}"
        return FileOffer(named.file_id, filename, named.mime_type, named.file_size)
    if voice := message.voice:
        return FileOffer(voice.file_id, f"voice-{number}", voice.mime_type, voice.file_size)
    if note := message.video_note:
        return FileOffer(note.file_id, f"video-{number}", "video/mp4", note.file_size)
    return None
