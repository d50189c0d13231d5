"""Privacy: what a member has forgotten is gone from database and disk, and nothing is kept for ever."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import func, select, update

from casework import audit, cases, conversations, members, outbox
from casework.attachments import AttachmentStore, Limits
from casework.case_life import Actor, Deed, move
from casework.cases import NewCase
from casework.database import Database
from casework.errors import KnowledgeError, NotFound
from casework.messages import Reply, record_replies
from casework.privacy import OpenCases, forget_member
from casework.retention import Swept, Then, load_rules, sweep
from casework.tables import (
    Alert,
    AlertKind,
    Attachment,
    AuditEntry,
    Author,
    Base,
    ButtonToken,
    Case,
    CaseEvent,
    CaseState,
    Channel,
    ChannelIdentity,
    ClaimSheet,
    Conversation,
    Delivery,
    Handling,
    Handoff,
    InboxGroup,
    Member,
    Message,
    ModelVersion,
    OutboxEntry,
    Owner,
    Reminder,
    ReminderConsent,
    ReminderKind,
    StaffSession,
    Station,
    TrainingSuggestion,
    Unmasking,
    Watcher,
)
from casework.wording import Wording
from tests.factories import (
    make_attachment,
    make_case,
    make_conversation,
    make_identity,
    make_member,
    make_message,
    make_staff,
)

ROOT = Path(__file__).parents[2] / "data" / "knowledge"
RULES = load_rules(ROOT / "retention.yml")
WORDING = Wording.load(ROOT)
LONG_AGO = timedelta(days=1096)
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)


@pytest.fixture
def store(tmp_path: Path) -> AttachmentStore:
    return AttachmentStore(tmp_path / "attachments", Limits())


async def a_known_member(database: Database, store: AttachmentStore, now: datetime) -> tuple[str, str, str]:
    """A member on Telegram with all that can be known of one: ids of member, conversation and case."""
    async with database.transaction() as session:
        member = await make_member(
            session, name="王建国", phone="13800001234", consent_version="1", consented_at=now
        )
        thread = await make_conversation(
            session, member, channel=Channel.TELEGRAM, last_topic="crisis.self_harm",
            last_crisis_kind="self_harm", last_crisis_at=now, urgent=True, urgent_reason="crisis.self_harm",
        )  # fmt: skip
        said = await make_message(session, thread, text="俺叫王建国，欠我两万", handling=Handling.DONE)
        await record_replies(
            session, thread.id, [Reply("王师傅您好", buttons=[("查进度", "/x")])], in_reply_to=None,
            author=Author.BOT, epoch_seen=None, now=now,
        )  # fmt: skip
        case = await cases.open_case(
            session,
            NewCase(
                case_type="labour_dispute", topic="labour.wage_arrears", member_id=member.id,
                conversation_id=thread.id, message_id=said.id, district="历下区",
                facts={"story": "欠我两万", "phone": "13800001234"}, summary="欠我两万",
            ),
            now,
        )  # fmt: skip
        await cases.add_supplement(session, case, text="工头叫李四", message_id=None, now=now)
        photo = await store.save(session, thread.id, JPEG, filename="欠条.jpg", declared_type=None, now=now)
        photo.message_id, photo.case_id = said.id, case.id
        return member.id, thread.id, case.id


async def rows(database: Database, table: type[Base]) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


# ---- being forgotten


async def test_a_forgotten_member_leaves_no_word_and_no_file(
    database: Database, store: AttachmentStore, now: datetime
) -> None:
    member_id, thread_id, case_id = await a_known_member(database, store, now)
    async with database.transaction() as session:
        forgotten = await forget_member(session, member_id, now, withdraw_open=True, store=store)
    assert (forgotten.cases, forgotten.messages, forgotten.attachments) == (1, 2, 1)
    assert [path for path in store.root.rglob("*") if path.is_file()] == []
    async with database.read() as session:
        member = await session.get_one(Member, member_id)
        assert [member.name, member.phone, member.phone_hash, member.consent_version] == [None] * 4
        assert member.erased_at == now
        texts = await session.execute(select(Message.text, Message.content))
        assert texts.all() == [(None, None), (None, None)]
        assert set(await session.scalars(select(CaseEvent.text))) == {None}
        thread = await session.get_one(Conversation, thread_id)
        assert [thread.last_topic, thread.last_crisis_kind, thread.last_crisis_at] == [None] * 3
        assert [thread.urgent, thread.urgent_reason] == [False, None]
        case = await session.get_one(Case, case_id)
        assert [case.summary, case.facts, case.conversation_id] == [None, {}, None]
        # What is left is a count.
        assert (case.state, case.case_type, case.district) == (
            CaseState.WITHDRAWN,
            "labour_dispute",
            "历下区",
        )
        assert case.anonymous
        assert await members.find_by_phone(session, "13800001234") == []
    for table in (Attachment, ButtonToken, OutboxEntry):
        assert await rows(database, table) == 0


async def test_the_audit_trail_says_that_it_happened_and_not_what_there_was(
    database: Database, store: AttachmentStore, now: datetime
) -> None:
    member_id, _, _ = await a_known_member(database, store, now)
    async with database.transaction() as session:
        await forget_member(session, member_id, now, withdraw_open=True, store=store)
    async with database.read() as session:
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.deed == "member.forgotten"))).one()
        assert (entry.actor, entry.subject_id) == ("member", member_id)
        assert entry.detail == {"cases": 1, "messages": 2, "attachments": 1}


async def test_open_cases_are_named_before_anything_is_erased(
    database: Database, store: AttachmentStore, now: datetime
) -> None:
    member_id, _, case_id = await a_known_member(database, store, now)
    async with database.transaction() as session:
        with pytest.raises(OpenCases) as refused:
            await forget_member(session, member_id, now, store=store)
        case = await session.get_one(Case, case_id)
        assert refused.value.values == {"numbers": case.number}
        assert case.number in WORDING.refuse(refused.value)
        assert (case.state, case.summary) == (CaseState.ACCEPTED, "欠我两万")
        assert (await members.get(session, member_id)).name == "王建国"
    assert await rows(database, Attachment) == 1


async def test_a_member_without_open_cases_needs_no_second_word(
    sqlite_database: Database, store: AttachmentStore, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        member = await make_member(session, name="李")
        thread = await make_conversation(session, member)
        case = await make_case(session, thread, state=CaseState.RESOLVED, closed_at=now)
        await forget_member(session, member.id, now, store=store)
        assert case.state is CaseState.RESOLVED
        assert member.name is None


async def test_whoever_writes_next_finds_no_old_case(
    database: Database, store: AttachmentStore, now: datetime
) -> None:
    member_id, _, case_id = await a_known_member(database, store, now)
    async with database.transaction() as session:
        number = (await session.get_one(Case, case_id)).number
        await forget_member(session, member_id, now, withdraw_open=True, store=store)
        assert await cases.cases_of(session, member_id) == []
        with pytest.raises(NotFound):
            await cases.case_for_member(session, member_id, number)


async def test_the_message_being_answered_can_still_be_answered(
    database: Database, store: AttachmentStore, now: datetime
) -> None:
    member_id, thread_id, _ = await a_known_member(database, store, now)
    async with database.transaction() as session:
        thread = await session.get_one(Conversation, thread_id)
        asking = await make_message(session, thread, text=None, content={"payload": "b:yes"})
        spoken = await make_message(session, thread, text="确定删除，我叫王建国")
    async with database.transaction() as session:
        await forget_member(session, member_id, now, withdraw_open=True, store=store)
    async with database.transaction() as session:
        (answer,) = await record_replies(
            session, thread_id, [Reply("已经删除。")], in_reply_to=asking.id,
            author=Author.BOT, epoch_seen=0, now=now,
        )  # fmt: skip
        again = await session.get_one(Message, asking.id)
        assert (again.content, again.handling) == ({"payload": "b:yes"}, Handling.DONE)
        assert (await session.get_one(Message, spoken.id)).text is None
        (due,) = await outbox.claim_due(session, now)
        assert due.message.id == answer.id
        assert due.external_id is not None


async def test_somebody_elses_things_stay(database: Database, store: AttachmentStore, now: datetime) -> None:
    member_id, _, _ = await a_known_member(database, store, now)
    other_id, other_thread, other_case = await a_known_member(database, store, now)
    async with database.transaction() as session:
        await forget_member(session, member_id, now, withdraw_open=True, store=store)
    async with database.read() as session:
        assert (await members.get(session, other_id)).name == "王建国"
        assert (await session.get_one(Case, other_case)).summary == "欠我两万"
        (file,) = await session.scalars(select(Attachment))
        assert file.conversation_id == other_thread
        assert await store.read(file) == JPEG


async def test_an_erasure_that_is_undone_erases_nothing(
    database: Database, store: AttachmentStore, now: datetime
) -> None:
    member_id, _, _ = await a_known_member(database, store, now)

    async def change_my_mind() -> None:
        async with database.transaction() as session:
            await forget_member(session, member_id, now, withdraw_open=True, store=store)
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError):
        await change_my_mind()
    async with database.read() as session:
        assert (await members.get(session, member_id)).name == "王建国"
        (file,) = await session.scalars(select(Attachment))
        assert await store.read(file) == JPEG


async def test_without_the_store_the_files_go_with_its_next_sweep(
    sqlite_database: Database, store: AttachmentStore, now: datetime
) -> None:
    member_id, _, _ = await a_known_member(sqlite_database, store, now)
    async with sqlite_database.transaction() as session:
        await forget_member(session, member_id, now, withdraw_open=True)
    (left,) = [path for path in store.root.rglob("*") if path.is_file()]
    os.utime(left, (now.timestamp(),) * 2)
    async with sqlite_database.transaction() as session:
        swept = await sweep(session, now + timedelta(hours=2), RULES, store)
    assert swept.orphans == 1
    assert not left.exists()


async def test_staff_keep_seeing_that_a_waiting_conversation_is_urgent(
    sqlite_database: Database, store: AttachmentStore, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        thread = await make_conversation(
            session, owner=Owner.QUEUED, urgent=True, urgent_reason="crisis.self_harm"
        )
        await forget_member(session, thread.member_id, now, store=store)
        assert (thread.urgent, thread.owner) == (True, Owner.QUEUED)


async def test_an_unknown_member_cannot_be_forgotten(sqlite_database: Database, now: datetime) -> None:
    async with sqlite_database.transaction() as session:
        with pytest.raises(NotFound):
            await forget_member(session, "0" * 32, now)


# ---- the address of an erased member


async def test_the_address_is_cut_a_day_after_the_erasure(
    database: Database, store: AttachmentStore, now: datetime
) -> None:
    member_id, _, _ = await a_known_member(database, store, now)
    async with database.transaction() as session:
        await forget_member(session, member_id, now, withdraw_open=True, store=store)
        await sweep(session, now + timedelta(hours=23), RULES, store)
    assert await rows(database, ChannelIdentity) == 1
    async with database.transaction() as session:
        swept = await sweep(session, now + timedelta(hours=25), RULES, store)
        assert swept.addresses == 1
        again = await sweep(session, now + timedelta(hours=25), RULES, store)
        assert again.addresses == 0
    assert await rows(database, ChannelIdentity) == 0


async def test_the_key_to_an_erased_web_conversation_dies_too(
    sqlite_database: Database, store: AttachmentStore, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        started = await conversations.start_conversation(session, Channel.WEB, now)
        await forget_member(session, started.conversation.member_id, now, store=store)
        await sweep(session, now + timedelta(days=2), RULES, store)
        with pytest.raises(NotFound):
            await conversations.authenticate(session, started.conversation.id, started.token)


async def test_whoever_writes_again_within_the_day_is_a_member_once_more(
    database: Database, store: AttachmentStore, now: datetime
) -> None:
    member_id, thread_id, _ = await a_known_member(database, store, now)
    async with database.transaction() as session:
        await forget_member(session, member_id, now, withdraw_open=True, store=store)
        thread = await session.get_one(Conversation, thread_id)
        await make_message(session, thread, text="又来了", created_at=now + timedelta(hours=3))
    async with database.transaction() as session:
        await sweep(session, now + timedelta(days=2), RULES, store)
    async with database.read() as session:
        member = await session.get_one(Member, member_id)
        assert member.erased_at is None
        assert await rows(database, ChannelIdentity) == 1


# ---- how long things are kept


def test_every_table_has_a_retention_rule() -> None:
    assert set(RULES) == set(Base.metadata.tables)
    for rule in RULES.values():
        assert rule.why
        assert (rule.days is not None) == (rule.then in (Then.ERASE, Then.DELETE))


def test_no_table_with_members_words_is_kept_for_good() -> None:
    from casework.key_rotation import encrypted_columns

    # The secret of a second factor; training sentences without personal data; stages and counts.
    of_no_member = {"staff", "sample_changes", "training_jobs"}
    for name, table in Base.metadata.tables.items():
        if encrypted_columns(table) and name not in of_no_member:
            assert RULES[name].then is not Then.KEEP, name


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda t: t.pop("messages"), "every table has one rule.*messages"),
        (lambda t: t.update(diary={"then": "keep", "why": "x"}), "every table has one rule.*diary"),
        (lambda t: t["messages"].pop("days"), "tables.messages: days must be"),
        (lambda t: t["messages"].update(days=0), "tables.messages: days must be"),
        (lambda t: t["messages"].update(days=True), "tables.messages: days must be"),
        (lambda t: t["messages"].pop("why"), "tables.messages: why"),
        (lambda t: t["messages"].update(then="burn"), "tables.messages: then must be one of"),
        (lambda t: t["case_events"].update(parent="stations"), "case_events: stations never ends"),
        (lambda t: t["staff"].update(then="delete", days=3, since="x"), "staff: nothing here can delete it"),
        (
            lambda t: t.update(messages={"then": "keep", "why": "x"}),
            "messages: nothing here can keep it",
        ),
    ],
)
def test_a_retention_file_that_breaks_a_rule_is_named(
    tmp_path: Path, edit: Callable[[dict[str, Any]], object], complaint: str
) -> None:
    content = yaml.safe_load((ROOT / "retention.yml").read_text(encoding="utf-8"))
    edit(content["tables"])
    (tmp_path / "retention.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=rf"retention\.yml.*{complaint}"):
        load_rules(tmp_path / "retention.yml")


async def everything(
    database: Database, store: AttachmentStore, moment: datetime, *, watching: bool = True
) -> None:
    """One row of everything that can grow old, made at this moment; ``watching`` ends within a day."""
    member_id, thread_id, case_id = await a_known_member(database, store, moment)
    async with database.transaction() as session:
        case = await session.get_one(Case, case_id)
        await move(session, case, Deed.WITHDRAW, Actor.member(member_id), reason="不办了", now=moment)
        for entry in await session.scalars(select(OutboxEntry)):
            entry.delivery = Delivery.SENT
        dated = (Message, ButtonToken, Conversation, Member, Attachment)
        for table in dated:
            await session.execute(update(table).values(created_at=moment))
        thread = await session.get_one(Conversation, thread_id)
        thread.last_message_at = moment
        audit.record(session, "system", "test", "member", member_id, now=moment)
        person = await make_staff(session)
        session.add_all(
            [
                Handoff(
                    conversation_id=thread_id,
                    channel=Channel.TELEGRAM,
                    reason="member_asked",
                    queued_at=moment,
                    ended_at=moment,
                    note="答应周五回电话",
                ),
                StaffSession(
                    staff_id=person.id,
                    token_hash="0" * 64,
                    csrf_token="x",
                    created_at=moment,
                    seen_at=moment,
                    expires_at=moment,
                ),
                Unmasking(
                    staff_id=person.id,
                    subject_kind="case",
                    subject_id=case_id,
                    reason="核对身份",
                    created_at=moment,
                    until=moment,
                ),
                Alert(kind=AlertKind.BREACH, conversation_id=thread_id, created_at=moment),
                ClaimSheet(
                    conversation_id=thread_id,
                    member_id=member_id,
                    as_of=moment.date(),
                    created_at=moment,
                    updated_at=moment,
                ),
                ReminderConsent(member_id=member_id, given_at=moment),
                Reminder(
                    member_id=member_id,
                    conversation_id=thread_id,
                    kind=ReminderKind.SEASON,
                    subject="season:tuition.aid",
                    text_key="season",
                    details={"label": "金秋助学"},
                    due_at=moment,
                    try_at=moment,
                    useful_until=moment + timedelta(days=14),
                    created_at=moment,
                ),
                InboxGroup(text="工资没发", created_at=moment, last_seen_at=moment),
                ModelVersion(
                    name="2020-01-01-1", sha256="0" * 64, size=1, gate={"to_wrong": []}, created_at=moment
                ),
                TrainingSuggestion(
                    text="工资没发", should_intent="ask_wage_arrears", staff_id=person.id, created_at=moment
                ),
            ]
        )
        if watching:
            session.add(Watcher(conversation_id=thread_id, staff_id=person.id, seen_at=moment))


async def swept_until_nothing_is_left(
    database: Database, store: AttachmentStore, now: datetime
) -> dict[str, int]:
    """Sweep as the operator does; what was ended, by table."""
    ended: dict[str, int] = {}
    for _ in range(20):
        async with database.transaction() as session:
            swept: Swept = await sweep(session, now, RULES, store)
        for table, count in swept.rows.items():
            ended[table] = ended.get(table, 0) + count
        if swept.total == 0:
            return ended
    raise AssertionError("the sweep never ends")


async def test_what_is_over_goes_and_the_sweep_comes_to_an_end(
    database: Database, store: AttachmentStore, now: datetime
) -> None:
    await everything(database, store, now - LONG_AGO)
    ended = await swept_until_nothing_is_left(database, store, now)
    assert {table for table, count in ended.items() if count == 0} == set()
    async with database.read() as session:
        (member,) = await session.scalars(select(Member))
        assert [member.name, member.phone, member.phone_hash] == [None] * 3
        assert set(await session.scalars(select(Message.text))) == {None}
        (case,) = await session.scalars(select(Case))
        assert [case.summary, case.facts, case.conversation_id] == [None, {}, None]
        assert case.state is CaseState.WITHDRAWN
        assert set(await session.scalars(select(CaseEvent.text))) == {None}
        assert set(await session.scalars(select(Handoff.note))) == {None}
    gone = (Attachment, ButtonToken, OutboxEntry, ChannelIdentity, AuditEntry, StaffSession, Unmasking)
    for table in (
        *gone,
        Alert,
        InboxGroup,
        ClaimSheet,
        Reminder,
        ReminderConsent,
        TrainingSuggestion,
        Watcher,
    ):
        assert await rows(database, table) == 0
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


async def test_what_is_not_over_stays(database: Database, store: AttachmentStore, now: datetime) -> None:
    await everything(database, store, now - timedelta(days=20), watching=False)
    ended = await swept_until_nothing_is_left(database, store, now)
    assert sum(ended.values()) == 0
    async with database.read() as session:
        (member,) = await session.scalars(select(Member))
        assert member.name == "王建国"
        (case,) = await session.scalars(select(Case))
        assert case.facts["story"] == "欠我两万"


async def test_a_case_that_is_still_open_keeps_its_words_its_papers_and_its_member(
    sqlite_database: Database, store: AttachmentStore, now: datetime
) -> None:
    long_ago = now - LONG_AGO
    async with sqlite_database.transaction() as session:
        member = await make_member(session, name="王建国", created_at=long_ago)
        thread = await make_conversation(session, member, last_message_at=long_ago, created_at=long_ago)
        said = await make_message(session, thread, created_at=long_ago, handling=Handling.DONE)
        case = await make_case(session, thread, summary="欠我两万", opened_at=long_ago)
        await make_attachment(session, thread, message_id=said.id, case_id=case.id, created_at=long_ago)
    await swept_until_nothing_is_left(sqlite_database, store, now)
    assert await rows(sqlite_database, Attachment) == 1
    async with sqlite_database.read() as session:
        assert (await session.get_one(Case, case.id)).summary == "欠我两万"
        assert (await session.get_one(Member, member.id)).name == "王建国"


async def test_a_message_nobody_has_answered_and_a_notice_not_delivered_are_not_swept(
    sqlite_database: Database, store: AttachmentStore, now: datetime
) -> None:
    long_ago = now - LONG_AGO
    async with sqlite_database.transaction() as session:
        thread = await make_conversation(session, channel=Channel.TELEGRAM)
        waiting = await make_message(session, thread, created_at=long_ago)
        outbox.enqueue(session, thread, waiting, long_ago)
    await swept_until_nothing_is_left(sqlite_database, store, now)
    assert await rows(sqlite_database, OutboxEntry) == 1
    async with sqlite_database.read() as session:
        assert (await session.get_one(Message, waiting.id)).text is not None


async def test_a_file_that_was_never_sent_goes_after_a_day(
    sqlite_database: Database, store: AttachmentStore, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        thread = await make_conversation(session)
        said = await make_message(session, thread)
        await make_attachment(session, thread, created_at=now - timedelta(hours=25))
        kept = await make_attachment(session, thread, created_at=now - timedelta(hours=23))
        sent = await make_attachment(
            session, thread, message_id=said.id, created_at=now - timedelta(hours=25)
        )
    await swept_until_nothing_is_left(sqlite_database, store, now)
    async with sqlite_database.read() as session:
        assert set(await session.scalars(select(Attachment.id))) == {kept.id, sent.id}


async def test_a_member_who_writes_now_and_then_is_not_forgotten(
    sqlite_database: Database, store: AttachmentStore, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        member = await make_member(session, name="王建国", created_at=now - LONG_AGO)
        await make_identity(session, member)
        await make_conversation(session, member, last_message_at=now - timedelta(days=30))
    await swept_until_nothing_is_left(sqlite_database, store, now)
    async with sqlite_database.read() as session:
        assert (await session.get_one(Member, member.id)).name == "王建国"
    assert await rows(sqlite_database, ChannelIdentity) == 1


async def test_public_places_and_staff_are_kept(
    sqlite_database: Database, store: AttachmentStore, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        await make_staff(session)
        session.add(
            Station(
                code="a", name="b", kind="legal_aid", district="历下区", source="c",
                checked_on=(now - LONG_AGO).date(),
            )
        )  # fmt: skip
    await swept_until_nothing_is_left(sqlite_database, store, now)
    assert await rows(sqlite_database, Station) == 1


async def test_a_sweep_takes_small_bites(
    sqlite_database: Database, store: AttachmentStore, now: datetime
) -> None:
    async with sqlite_database.transaction() as session:
        thread = await make_conversation(session)
        for _ in range(5):
            await make_message(session, thread, created_at=now - LONG_AGO, handling=Handling.DONE)
    async with sqlite_database.transaction() as session:
        swept = await sweep(session, now, RULES, store, limit=2)
    assert swept.rows["messages"] == 2
