"""Transcript: stored messages as the channels show them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from bot.views import AttachmentView, Button, MessageView, Source, Vote
from casework import answer_votes, attachments, messages
from casework.tables import Attachment, Message


async def read_transcript(
    session: AsyncSession, conversation_id: str, after: int, limit: int
) -> list[MessageView]:
    """A conversation's messages with an id greater than ``after``, oldest first."""
    return await as_views(session, await messages.transcript(session, conversation_id, after, limit))


async def as_views(session: AsyncSession, stored: Sequence[Message]) -> list[MessageView]:
    """Messages as shown; files and votes are looked up only where there can be any."""
    with_files = [message.id for message in stored if (message.content or {}).get("attachments")]
    files = await attachments.of_messages(session, with_files) if with_files else {}
    asked = [message.id for message in stored if answer_votes.may_be_asked_about(message)]
    votes = dict.fromkeys(asked, Vote.OPEN)
    for message_id, helpful in (await answer_votes.votes_on(session, asked)).items():
        votes[message_id] = Vote.of(helpful)
    return [_view(message, files.get(message.id, ()), votes.get(message.id)) for message in stored]


def _view(message: Message, files: Sequence[Attachment], vote: Vote | None) -> MessageView:
    content = message.content or {}
    return MessageView(
        id=message.id,
        author=message.author.value,
        text=message.text or "",
        created_at=message.created_at,
        buttons=[Button(button["title"], button["payload"]) for button in content.get("buttons", ())],
        attachments=[AttachmentView(file.id, file.filename, file.media_type, file.size) for file in files],
        topic=message.topic,
        sources=[
            Source(source["title"], source.get("article"), source.get("as_of"))
            for source in content.get("sources", ())
        ],
        vote=vote,
    )
