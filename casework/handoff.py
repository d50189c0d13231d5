"""Handoff: the change of owner from the bot to the human queue, and everything that follows until it is back.

Each deed locks the conversation, checks who may do it, and moves it as ``casework.ownership`` says. What the
member is told is stored in the same transaction.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.conversations import flag_urgent, lock
from casework.errors import BadInput, NotAllowed, NotFound, Refusal
from casework.messages import Reply, record_note, record_replies
from casework.ownership import (
    Move,
    begins_to_wait,
    move,
    no_longer_waits,
    open_handoff,
    raise_priority,
    team_for,
)
from casework.permissions import Right, may, require
from casework.tables import (
    Alert,
    AlertKind,
    Author,
    Conversation,
    Handling,
    Handoff,
    Message,
    Owner,
    Presence,
    Priority,
    Staff,
    Team,
)
from casework.triage import triage
from casework.wording import Wording

__all__ = [
    "HandoffBlocked", "finish", "hand_back", "hand_off", "open_handoff", "rate", "release", "resume",
    "take_over", "transfer",
]  # fmt: skip

MAX_REASON = 60
BAD_RATING = 2
"""A rating of this or less goes to a supervisor."""
BAD_RATING_REASON = "bad_rating"
STAFF_TOOK_OVER = "staff_took_over"
"""The reason of a service nobody waited for: staff came by themselves."""


class HandoffBlocked(Refusal):
    """Staff asked that this member be left to the bot until ``values["until"]`` (Shanghai time)."""

    code = "handoff_blocked"


async def hand_off(
    session: AsyncSession,
    conversation: Conversation,
    reason: str,
    now: datetime,
    urgent: bool = False,
    *,
    actor: str = "bot",
    message_id: int | None = None,
) -> Conversation:
    """Bot → queue: a human is wanted. ``reason`` is a code of up to 60 characters.

    ``message_id`` is the member's message whose turn hands off; that turn's own reply may still be said
    although the epoch rises. When the bot hands off without saying, it is the oldest unanswered one.
    A conversation already in the queue keeps its place (and becomes urgent if asked). Raises NotAllowed
    when a human owns it and HandoffBlocked when staff asked to leave it to the bot (never when urgent).
    """
    check_reason(reason)
    locked = await lock(session, conversation.id)
    if locked.owner in (Owner.HUMAN, Owner.WRAP_UP):
        raise NotAllowed("a human already speaks in this conversation", owner=locked.owner)
    if locked.owner is Owner.BOT:
        urgent = urgent or locked.urgent
        if not urgent and actor == "bot" and _is_blocked(locked, now):
            raise HandoffBlocked("left to the bot for a while", until=locked.blocked_until)
        if message_id is None and actor == "bot":
            message_id = await _unanswered(session, locked.id)
        locked.handoff_reason = reason
        locked.handoff_message_id = message_id
        locked.team_id = await team_for(session, locked.last_topic)
        await move(session, locked, Move.HAND_OFF, actor=actor, now=now, reason=reason)
        begins_to_wait(locked, now)
        await triage(session, locked, now)
    if urgent:
        await flag_urgent(session, locked, locked.urgent_reason or reason, now, actor=actor)
    return locked


async def take_over(
    session: AsyncSession,
    conversation: Conversation,
    staff: Staff,
    now: datetime,
    *,
    wording: Wording | None = None,
) -> Conversation:
    """This member of staff speaks from now on; taking one's own over again changes nothing.

    From the queue, from the bot, and from anybody's wrap-up; from another human only by who directs others.
    With ``wording`` the member is told that a human is here, and which. Raises NotAllowed.
    """
    require(staff, Right.ANSWER)
    locked = await lock(session, conversation.id)
    actor = audit.staff_actor(staff)
    if locked.owner is Owner.HUMAN and locked.staff_id == staff.id:
        return locked
    if locked.owner is Owner.WRAP_UP and locked.staff_id == staff.id:
        await move(session, locked, Move.RESUME, actor=actor, now=now)
        return locked
    if locked.for_supervisor:
        require(staff, Right.DIRECT)
    if locked.owner is Owner.HUMAN:
        require(staff, Right.DIRECT)
        alert(session, locked, AlertKind.TRANSFERRED, locked.staff_id, now, detail="taken")
    if locked.owner is Owner.WRAP_UP:
        passed = await move(session, locked, Move.RELEASE, actor=actor, now=now)
        passed.requeued -= 1  # nobody waited in between
    if locked.owner is Owner.BOT:
        await hand_off(session, locked, STAFF_TOOK_OVER, now, actor=actor)
    await move(session, locked, Move.TAKE_OVER, actor=actor, now=now, staff_id=staff.id)
    await note_present(session, staff, now)
    if wording is not None:
        text = (
            wording.say("handoff.human_is_here", badge=staff.badge)
            if staff.badge
            else wording.say("handoff.human_is_here_unnamed")
        )
        await tell(session, locked, text, now)
    return locked


async def release(
    session: AsyncSession,
    conversation: Conversation,
    staff: Staff,
    now: datetime,
    *,
    wording: Wording | None = None,
) -> Conversation:
    """Human → queue, by its owner or who directs others: let somebody else answer. Raises NotAllowed."""
    locked = await lock(session, conversation.id)
    check_may_dispose(locked, staff)
    await back_to_queue(session, locked, now, actor=audit.staff_actor(staff), reason="released")
    if wording is not None:
        await tell(session, locked, wording.say("handoff.passed_on"), now)
    return locked


async def back_to_queue(
    session: AsyncSession, locked: Conversation, now: datetime, *, actor: str, reason: str
) -> None:
    """Put a locked conversation that humans have back into the queue, where its member waits again.

    One that came for a supervisor waits for a supervisor again.
    """
    await move(session, locked, Move.RELEASE, actor=actor, now=now, reason=reason)
    locked.for_supervisor = locked.handoff_reason == BAD_RATING_REASON
    begins_to_wait(locked, now)


async def note_present(session: AsyncSession, staff: Staff, now: datetime) -> None:
    """Who answers members is there, whatever their browser last said; CLI-only staff have none to be gone."""
    await session.execute(
        update(Staff)
        .where(Staff.id == staff.id, Staff.seen_at.is_not(None))
        .values(
            seen_at=now, presence=case((Staff.presence == Presence.OFFLINE, "online"), else_=Staff.presence)
        )
    )


async def transfer(
    session: AsyncSession,
    conversation: Conversation,
    staff: Staff,
    now: datetime,
    *,
    to: Staff | None = None,
    team: Team | None = None,
    note: str | None = None,
    wording: Wording | None = None,
) -> Conversation:
    """Human → queue, reserved for a colleague (anybody may still take it) or in a team's queue.

    By its owner, and by who directs others also out of the queue. The colleague is alerted, the note is
    internal. What was kept for a supervisor is kept no longer when it is given to somebody who is none.
    Raises BadInput without one to give it to or for a closed team, NotAllowed.
    """
    if (to is None) == (team is None):
        raise BadInput("transfer to a colleague or to a team", field="to")
    if team is not None and not team.active:
        raise BadInput("this team is closed", field="team")
    locked = await lock(session, conversation.id)
    if locked.owner is Owner.QUEUED:
        require(staff, Right.DIRECT)
    else:
        check_may_dispose(locked, staff)
    if to is not None and not may(to, Right.ANSWER):
        raise NotAllowed("this colleague takes no conversations", right=Right.ANSWER.value)
    if note and note.strip():
        await record_note(session, locked.id, staff, note, now)
    actor = audit.staff_actor(staff)
    if locked.owner is not Owner.QUEUED:
        await back_to_queue(session, locked, now, actor=actor, reason="transferred")
    locked.reserved_for_id = None if to is None else to.id
    locked.team_id = locked.team_id if team is None else team.id
    locked.for_supervisor = locked.for_supervisor and to is not None and may(to, Right.DIRECT)
    if to is not None:
        alert(session, locked, AlertKind.TRANSFERRED, to.id, now)
    if wording is not None:
        await tell(session, locked, wording.say("handoff.passed_on"), now)
    return locked


async def finish(
    session: AsyncSession, conversation: Conversation, staff: Staff, now: datetime
) -> Conversation:
    """Human → wrap-up: the talk is over, its worker writes down what came of it. Raises NotAllowed."""
    locked = await lock(session, conversation.id)
    check_may_dispose(locked, staff)
    await move(session, locked, Move.FINISH, actor=audit.staff_actor(staff), now=now)
    return locked


async def resume(
    session: AsyncSession, conversation: Conversation, staff: Staff, now: datetime
) -> Conversation:
    """Wrap-up → human: its worker goes on talking. Raises NotAllowed."""
    locked = await lock(session, conversation.id)
    check_may_dispose(locked, staff)
    await move(session, locked, Move.RESUME, actor=audit.staff_actor(staff), now=now)
    return locked


async def hand_back(
    session: AsyncSession,
    conversation: Conversation,
    staff: Staff,
    now: datetime,
    *,
    wording: Wording | None = None,
    outcome: str | None = None,
    note: str | None = None,
    said: str | None = None,
) -> Conversation:
    """Human or wrap-up → bot, by its owner or who directs others; it is no longer urgent.

    ``note`` is for colleagues, ``said`` a last sentence to the member. With ``wording`` they are told that
    the assistant goes on, and asked for a rating. Raises NotAllowed.
    """
    locked = await lock(session, conversation.id)
    check_may_dispose(locked, staff)
    actor = audit.staff_actor(staff)
    if note and note.strip():
        await record_note(session, locked.id, staff, note, now)
    await end_service(
        session, locked, now, actor=actor, wording=wording, outcome=outcome, note=note, said=said
    )
    return locked


async def end_service(
    session: AsyncSession,
    locked: Conversation,
    now: datetime,
    *,
    actor: str,
    wording: Wording | None,
    outcome: str | None = None,
    note: str | None = None,
    said: str | None = None,
) -> None:
    """Give a locked conversation that humans have back to the bot, tell the member and ask how it was."""
    if locked.owner is Owner.HUMAN:
        await move(session, locked, Move.FINISH, actor=actor, now=now)
    handoff = await move(session, locked, Move.HAND_BACK, actor=actor, now=now, outcome=outcome)
    handoff.outcome = outcome
    handoff.note = (note or "").strip() or None
    if wording is None:
        return
    text = wording.say("handoff.handed_back")
    if said and said.strip():
        text = f"{said.strip()}\n{text}"
    buttons = []
    if handoff.first_reply_at is not None and handoff.rating is None:
        await session.flush()
        text = f"{text}\n{wording.say('handoff.ask_rating')}"
        buttons = [
            (
                wording.say("case_notice.rate_button", rating=rating),
                f'/rate_service{{"handoff":{handoff.id},"rating":{rating}}}',
            )
            for rating in range(5, 0, -1)
        ]
    await tell(session, locked, text, now, buttons=buttons)


async def rate(
    session: AsyncSession,
    handoff_id: int,
    member_id: str,
    rating: int,
    now: datetime,
    *,
    comment: str | None = None,
    message_id: int | None = None,
) -> Handoff:
    """Rate how a human served, 1 to 5, by the member who was served; 1 or 2 goes to a supervisor, once.

    The latest rating counts. Supervisors are alerted, and the conversation waits for one of them unless
    humans have it already or staff asked to leave the member to the bot. ``message_id`` is the press of its
    button, whose own reply may still be said. Raises BadInput for another rating, NotFound for a hand-off
    that is not theirs or is not over.
    """
    if not 1 <= rating <= 5:
        raise BadInput("a rating is 1 to 5", field="rating")
    handoff = await session.get(Handoff, handoff_id)
    conversation = None if handoff is None else await lock(session, handoff.conversation_id)
    if handoff is None or conversation is None or conversation.member_id != member_id:
        raise NotFound("no such hand-off")
    await session.refresh(handoff)  # two presses at once: the second sees the first's
    if handoff.ended_at is None:
        raise NotFound("this service is not over yet")
    handoff.rating, handoff.rated_at = rating, now
    handoff.comment = comment or handoff.comment
    audit.record(session, "member", "handoff.rated", "handoff", handoff.id, now=now, rating=rating)
    if rating <= BAD_RATING and not await _complained(session, handoff):
        alert(session, conversation, AlertKind.BAD_RATING, None, now)
        if conversation.owner is Owner.BOT and not _is_blocked(conversation, now):
            await hand_off(
                session, conversation, BAD_RATING_REASON, now, actor="member", message_id=message_id
            )
            conversation.for_supervisor = True
            raise_priority(conversation, Priority.HIGH, await open_handoff(session, conversation.id))
    return handoff


async def _complained(session: AsyncSession, handoff: Handoff) -> bool:
    """Whether supervisors were told already that this service was rated badly."""
    told = await session.scalar(
        select(Alert.id)
        .where(
            Alert.kind == AlertKind.BAD_RATING,
            Alert.conversation_id == handoff.conversation_id,
            Alert.created_at >= handoff.ended_at,
        )
        .limit(1)
    )
    return told is not None


def _is_blocked(conversation: Conversation, now: datetime) -> bool:
    return conversation.blocked_until is not None and conversation.blocked_until > now


async def note_answered(session: AsyncSession, locked: Conversation, now: datetime) -> None:
    """A human answered in a locked conversation: the wait is over and the first answer is booked."""
    no_longer_waits(locked)
    handoff = await open_handoff(session, locked.id)
    if handoff is not None and handoff.first_reply_at is None:
        handoff.first_reply_at = now


async def tell(
    session: AsyncSession,
    locked: Conversation,
    text: str,
    now: datetime,
    *,
    buttons: list[tuple[str, str]] | None = None,
) -> None:
    """Say something about the service itself, in the transaction that holds the conversation."""
    await record_replies(
        session,
        locked.id,
        [Reply(text, buttons=buttons or [])],
        in_reply_to=None,
        author=Author.SYSTEM,
        epoch_seen=locked.epoch,
        now=now,
    )


async def _unanswered(session: AsyncSession, conversation_id: str) -> int | None:
    return await session.scalar(
        select(Message.id)
        .where(
            Message.conversation_id == conversation_id,
            Message.author == Author.MEMBER,
            Message.handling == Handling.PENDING,
        )
        .order_by(Message.id)
        .limit(1)
    )


def alert(
    session: AsyncSession,
    conversation: Conversation,
    kind: AlertKind,
    staff_id: int | None,
    now: datetime,
    detail: str | None = None,
) -> None:
    """Tell a member of staff (None: who directs others) about a conversation; ``detail`` is a code."""
    session.add(
        Alert(kind=kind, staff_id=staff_id, conversation_id=conversation.id, detail=detail, created_at=now)
    )


def check_reason(reason: str) -> None:
    """Raise BadInput for a reason of none or more than 60 characters."""
    if not 1 <= len(reason) <= MAX_REASON:
        raise BadInput("a reason is 1 to 60 characters", field="reason", limit=MAX_REASON)


def check_may_dispose(conversation: Conversation, staff: Staff) -> None:
    """Raise NotAllowed unless this human, or one who directs others, may decide what becomes of it."""
    require(staff, Right.ANSWER)
    if conversation.owner not in (Owner.HUMAN, Owner.WRAP_UP):
        raise NotAllowed("no human owns this conversation", owner=conversation.owner.value)
    if conversation.staff_id != staff.id:
        require(staff, Right.DIRECT)
