"""Retention sweeps: how the rows of each table whose time is over are ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from casework.attachments import AttachmentStore
from casework.crypto import current_cipher
from casework.privacy import erase_cases
from casework.search_index import forget, index_again
from casework.search_terms import Kind
from casework.tables import (
    Alert,
    Attachment,
    AuditEntry,
    Author,
    ButtonToken,
    Case,
    CaseEvent,
    ChannelIdentity,
    ClaimSheet,
    Conversation,
    Delivery,
    Handling,
    Handoff,
    InboxGroup,
    InboxLabel,
    InboxMessage,
    Member,
    Message,
    ModelVersion,
    OutboxEntry,
    Reminder,
    ReminderConsent,
    SampleChange,
    StaffSession,
    TrainingSuggestion,
    Unmasking,
    Watcher,
)


async def _members(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    """Forget who a member is once all their conversations and cases are over for that long."""
    old = await session.scalars(
        select(Member)
        .where(
            Member.created_at < before,
            or_(Member.name.is_not(None), Member.phone.is_not(None), _has_identity(), _has_agreed()),
            ~_wrote_since(before),
            ~exists().where(Case.member_id == Member.id, Case.closed_at.is_(None)),
        )
        .limit(limit)
    )
    found = list(old)
    for member in found:
        member.name = member.phone = member.phone_hash = None
        member.consent_version = member.consented_at = None
    ids = [member.id for member in found]
    await forget(session, Kind.MEMBER, ids)
    await session.execute(delete(ReminderConsent).where(ReminderConsent.member_id.in_(ids)))
    await _delete_identities(session, found)
    return len(found)


async def _conversations(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    old = await session.scalars(
        select(Conversation)
        .where(
            Conversation.last_message_at < before,
            or_(
                Conversation.token_hash.is_not(None),
                Conversation.last_topic.is_not(None),
                Conversation.last_crisis_kind.is_not(None),
                Conversation.urgent_reason.is_not(None),
            ),
        )
        .limit(limit)
    )
    found = list(old)
    for conversation in found:
        _close(conversation)
    return len(found)


async def _messages(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    old = (
        select(Message.id)
        .where(
            Message.created_at < before,
            Message.handling != Handling.PENDING,
            or_(Message.text.is_not(None), Message.content.is_not(None), Message.facts.is_not(None)),
        )
        .limit(limit)
    )
    ended = await session.scalars(
        update(Message)
        .where(Message.id.in_(old))
        .values(text=None, content=None, facts=None)
        .returning(Message.conversation_id)
    )
    of_conversations = ended.all()
    await index_again(session, of_conversations)
    return len(of_conversations)


async def _button_tokens(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    old = select(ButtonToken.token).where(ButtonToken.created_at < before).limit(limit)
    ended = await session.scalars(
        delete(ButtonToken).where(ButtonToken.token.in_(old)).returning(ButtonToken.token)
    )
    return len(ended.all())


async def _outbox(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    old = (
        select(OutboxEntry.id)
        .where(OutboxEntry.due_at < before, OutboxEntry.delivery != Delivery.PENDING)
        .limit(limit)
    )
    ended = await session.scalars(
        delete(OutboxEntry).where(OutboxEntry.id.in_(old)).returning(OutboxEntry.id)
    )
    return len(ended.all())


async def _cases(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    has_words = exists().where(CaseEvent.case_id == Case.id, CaseEvent.text.is_not(None))
    # Facts are encrypted: that there are none only shows in the length.
    empty = len(current_cipher().encrypt(b"{}"))
    has_facts = func.length(type_coerce(Case.facts, LargeBinary)) > empty
    old = list(
        await session.scalars(
            select(Case)
            .where(
                Case.closed_at < before,
                or_(Case.summary.is_not(None), Case.conversation_id.is_not(None), has_facts, has_words),
            )
            .limit(limit)
        )
    )
    await erase_cases(session, old)
    return len(old)


async def _attachments(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    # The papers of a case that is still open are needed, however old they are.
    in_open_case = exists().where(Case.id == Attachment.case_id, Case.closed_at.is_(None))
    old = list(
        await session.scalars(
            select(Attachment).where(Attachment.created_at < before, ~in_open_case).limit(limit)
        )
    )
    await store.erase(session, old)
    return len(old)


async def _audit_log(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    old = select(AuditEntry.id).where(AuditEntry.at < before).limit(limit)
    ended = await session.scalars(delete(AuditEntry).where(AuditEntry.id.in_(old)).returning(AuditEntry.id))
    return len(ended.all())


async def _handoffs(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    old = (
        select(Handoff.id)
        .where(Handoff.queued_at < before, or_(Handoff.note.is_not(None), Handoff.comment.is_not(None)))
        .limit(limit)
    )
    ended = await session.scalars(
        update(Handoff).where(Handoff.id.in_(old)).values(note=None, comment=None).returning(Handoff.id)
    )
    return len(ended.all())


async def _staff_sessions(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    old = select(StaffSession.id).where(StaffSession.expires_at < before).limit(limit)
    ended = await session.scalars(
        delete(StaffSession).where(StaffSession.id.in_(old)).returning(StaffSession.id)
    )
    return len(ended.all())


async def _unmaskings(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    old = select(Unmasking.id).where(Unmasking.created_at < before).limit(limit)
    ended = await session.scalars(delete(Unmasking).where(Unmasking.id.in_(old)).returning(Unmasking.id))
    return len(ended.all())


async def _watchers(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    ended = await session.scalars(
        delete(Watcher).where(Watcher.seen_at < before).returning(Watcher.conversation_id)
    )
    return len(ended.all())


async def _alerts(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    old = select(Alert.id).where(Alert.created_at < before).limit(limit)
    ended = await session.scalars(delete(Alert).where(Alert.id.in_(old)).returning(Alert.id))
    return len(ended.all())


async def _suggestions(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    old = select(TrainingSuggestion.id).where(TrainingSuggestion.created_at < before).limit(limit)
    ended = await session.scalars(
        delete(TrainingSuggestion).where(TrainingSuggestion.id.in_(old)).returning(TrainingSuggestion.id)
    )
    return len(ended.all())


async def _inbox_groups(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    old = select(InboxGroup.id).where(InboxGroup.last_seen_at < before).limit(limit)
    ids = list(await session.scalars(old))
    await session.execute(update(SampleChange).where(SampleChange.group_id.in_(ids)).values(group_id=None))
    for table in (InboxMessage, InboxLabel):
        await session.execute(delete(table).where(table.group_id.in_(ids)))
    await session.execute(delete(InboxGroup).where(InboxGroup.id.in_(ids)))
    return len(ids)


async def _model_versions(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    """Forget the sentences a gate listed; the verdict and the figures stay in columns of their own."""
    old = (
        select(ModelVersion.id)
        .where(ModelVersion.created_at < before, ModelVersion.gate.is_not(None))
        .limit(limit)
    )
    ids = list(await session.scalars(old))
    await session.execute(update(ModelVersion).where(ModelVersion.id.in_(ids)).values(gate=None))
    return len(ids)


async def _claim_sheets(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    old = select(ClaimSheet.id).where(ClaimSheet.updated_at < before).limit(limit)
    ids = list(await session.scalars(old))
    await session.execute(delete(ClaimSheet).where(ClaimSheet.id.in_(ids)))
    return len(ids)


async def _reminders(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    old = select(Reminder.id).where(Reminder.due_at < before).limit(limit)
    ended = await session.scalars(delete(Reminder).where(Reminder.id.in_(old)).returning(Reminder.id))
    return len(ended.all())


SWEEPS: dict[str, Callable[[AsyncSession, datetime, AttachmentStore, int], Awaitable[int]]] = {
    "members": _members,
    "conversations": _conversations,
    "messages": _messages,
    "button_tokens": _button_tokens,
    "outbox": _outbox,
    "cases": _cases,
    "attachments": _attachments,
    "audit_log": _audit_log,
    "handoffs": _handoffs,
    "staff_sessions": _staff_sessions,
    "unmaskings": _unmaskings,
    "watchers": _watchers,
    "alerts": _alerts,
    "training_suggestions": _suggestions,
    "claim_sheets": _claim_sheets,
    "inbox_groups": _inbox_groups,
    "model_versions": _model_versions,
    "reminders": _reminders,
}


async def unsent_files(session: AsyncSession, before: datetime, store: AttachmentStore, limit: int) -> int:
    """Erase files that were uploaded before then and belong to no message; returns how many."""
    unsent = list(
        await session.scalars(
            select(Attachment)
            .where(
                Attachment.message_id.is_(None), Attachment.case_id.is_(None), Attachment.created_at < before
            )
            .limit(limit)
        )
    )
    await store.erase(session, unsent)
    return len(unsent)


async def cut_addresses(session: AsyncSession, before: datetime, limit: int) -> int:
    """Cut an erased member's address a day later; whoever wrote again since is a member once more."""
    reachable = exists().where(Conversation.member_id == Member.id, Conversation.token_hash.is_not(None))
    erased = list(
        await session.scalars(
            select(Member).where(Member.erased_at < before, or_(_has_identity(), reachable)).limit(limit)
        )
    )
    gone = []
    for member in erased:
        if member.erased_at is not None and await _wrote_after(session, member, member.erased_at):
            member.erased_at = None
        else:
            gone.append(member)
    await _delete_identities(session, gone)
    threads = await session.scalars(
        select(Conversation).where(Conversation.member_id.in_([member.id for member in gone]))
    )
    for thread in threads:
        _close(thread)
    return len(erased)


def _close(conversation: Conversation) -> None:
    """Nobody can open the conversation any more, and nothing says what it was about."""
    conversation.token_hash = None
    conversation.last_topic = conversation.last_crisis_kind = conversation.last_crisis_at = None
    conversation.urgent_reason = conversation.handoff_reason = conversation.district = None
    conversation.risks = []


async def _delete_identities(session: AsyncSession, members: Sequence[Member]) -> None:
    ids = [member.id for member in members]
    await session.execute(delete(ChannelIdentity).where(ChannelIdentity.member_id.in_(ids)))


async def _wrote_after(session: AsyncSession, member: Member, moment: datetime) -> bool:
    latest = await session.scalar(
        select(func.max(Message.created_at))
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Conversation.member_id == member.id, Message.author == Author.MEMBER)
    )
    return latest is not None and latest > moment


def _wrote_since(before: datetime) -> ColumnElement[bool]:
    return exists().where(and_(Conversation.member_id == Member.id, Conversation.last_message_at >= before))


def _has_agreed() -> ColumnElement[bool]:
    return exists().where(ReminderConsent.member_id == Member.id)


def _has_identity() -> ColumnElement[bool]:
    return exists().where(ChannelIdentity.member_id == Member.id)
