"""Routes: whether an answer helped the member who asked."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from bot.api.doorkeeper import TheConversation, TheHouse
from bot.api.routes import READING, WRITING, errors
from bot.api.schemas import MAX_ID
from bot.roles import Role, open_to
from bot.views import Vote
from casework import answer_votes

router = APIRouter(prefix="/api/v1", tags=["conversations"])

AnswerId = Annotated[int, Path(ge=1, le=MAX_ID, description="The id of one of the bot's answers.")]


class VoteIn(BaseModel):
    """Whether it helped."""

    model_config = ConfigDict(
        extra="forbid", title="Vote", json_schema_extra={"examples": [{"helpful": False}]}
    )
    helpful: Annotated[bool, Field(strict=True)]


class VoteOut(BaseModel):
    """What is known now."""

    model_config = ConfigDict(
        title="Vote taken", json_schema_extra={"examples": [{"message_id": 18, "vote": "unhelpful"}]}
    )
    message_id: int
    vote: Literal["open", "helpful", "unhelpful"]


@router.put(
    "/conversations/{conversation_id}/messages/{message_id}/vote",
    summary="Say whether an answer helped",
    responses=errors(*WRITING),
)
@open_to(Role.CONVERSATION)
async def vote(said: VoteIn, message_id: AnswerId, conversation: TheConversation, house: TheHouse) -> VoteOut:
    """Keep whether an answer helped. Said again, the last word counts; it is not a message to anybody.

    Ask only about messages whose `vote` is not null. Where an answer did not help, tell the member what
    else there is: other words, or a human (payload `human`).
    """
    async with house.database.transaction() as session:
        await answer_votes.vote(session, conversation.id, message_id, said.helpful, house.clock.now())
    return VoteOut(message_id=message_id, vote=Vote.of(said.helpful).value)


@router.delete(
    "/conversations/{conversation_id}/messages/{message_id}/vote",
    summary="Take a vote back",
    responses=errors(*READING),
)
@open_to(Role.CONVERSATION)
async def withdraw_vote(message_id: AnswerId, conversation: TheConversation, house: TheHouse) -> VoteOut:
    """Forget whether an answer helped; where nothing was said, nothing happens."""
    async with house.database.transaction() as session:
        await answer_votes.withdraw(session, conversation.id, message_id)
    return VoteOut(message_id=message_id, vote=Vote.OPEN.value)
