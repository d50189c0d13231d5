"""Members: who they are on each channel, what they agreed to, and how they are found again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from casework import members
from casework.crypto import Cipher, install_cipher
from casework.database import Database
from casework.errors import BadInput, NotFound
from casework.tables import AuditEntry, Channel, ChannelIdentity
from tests.conftest import TEST_KEY
from tests.factories import make_member


async def test_a_channel_knows_a_member_by_one_id(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        first = await members.ensure_member(session, Channel.TELEGRAM, "42", now)
        again = await members.ensure_member(session, Channel.TELEGRAM, "42", now)
        elsewhere = await members.ensure_member(session, Channel.API, "42", now)
    assert again.id == first.id
    assert elsewhere.id != first.id


async def test_who_blocked_the_bot_and_writes_again_is_no_longer_blocked(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        await members.ensure_member(session, Channel.TELEGRAM, "42", now)
        await members.mark_blocked(session, Channel.TELEGRAM, "42", now)
        await members.mark_blocked(session, Channel.TELEGRAM, "42", now + timedelta(days=1))
        await members.mark_blocked(session, Channel.TELEGRAM, "unknown", now)
    async with database.read() as session:
        identity = (await session.scalars(select(ChannelIdentity))).one()
        assert identity.blocked_at == now
    async with database.transaction() as session:
        await members.ensure_member(session, Channel.TELEGRAM, "42", now)
        identity = (await session.scalars(select(ChannelIdentity))).one()
        assert identity.blocked_at is None


async def test_a_member_is_recognised_after_the_data_key_was_rotated(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        before = await members.ensure_member(session, Channel.TELEGRAM, "42", now)
        await members.set_contact(session, before.id, phone="13800138000")
    install_cipher(Cipher([bytes(32), TEST_KEY]))
    async with database.transaction() as session:
        after = await members.ensure_member(session, Channel.TELEGRAM, "42", now)
        assert after.id == before.id
        assert [found.id for found in await members.find_by_phone(session, "13800138000")] == [before.id]


async def test_consent_is_noted_once_for_each_version(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        member = await make_member(session)
        await members.record_consent(session, member.id, "2026-07", now)
        await members.record_consent(session, member.id, "2026-07", now + timedelta(days=1))
        assert (member.consent_version, member.consented_at) == ("2026-07", now)
        await members.record_consent(session, member.id, "2026-08", now + timedelta(days=2))
        assert (member.consent_version, member.consented_at) == ("2026-08", now + timedelta(days=2))
        for wrong in ("", "x" * 21, "我 同意"):
            with pytest.raises(BadInput):
                await members.record_consent(session, member.id, wrong, now)
        told = list(await session.scalars(select(AuditEntry.detail).order_by(AuditEntry.id)))
    assert told == [{"version": "2026-07"}, {"version": "2026-08"}]


async def test_contact_is_changed_only_where_something_was_said(database: Database) -> None:
    async with database.transaction() as session:
        member = await make_member(session)
        await members.set_contact(session, member.id, name="  张  三 ", phone="+86 138-0013-8000")
        assert (member.name, member.phone) == ("张 三", "13800138000")
        await members.set_contact(session, member.id)
        assert (member.name, member.phone) == ("张 三", "13800138000")
        await members.set_contact(session, member.id, name="", phone=" ")
        assert (member.name, member.phone, member.phone_hash) == (None, None, None)


async def test_a_name_that_is_too_long_and_an_unknown_member_are_refused(database: Database) -> None:
    async with database.transaction() as session:
        member = await make_member(session)
        with pytest.raises(BadInput):
            await members.set_contact(session, member.id, name="长" * 41)
        with pytest.raises(NotFound):
            await members.set_contact(session, "nobody", name="张三")


@pytest.mark.parametrize(
    "spelling",
    [
        "13800138000",
        " 138 0013 8000",
        "+8613800138000",
        "0086-138-0013-8000",
        "１３８００１３８０００",
        "86 13800138000",
    ],
)
async def test_a_member_is_found_by_phone_however_it_is_written(database: Database, spelling: str) -> None:
    async with database.transaction() as session:
        member = await make_member(session)
        await members.set_contact(session, member.id, phone="138-0013-8000")
        await make_member(session, phone="13900139000")
    async with database.read() as session:
        assert [found.id for found in await members.find_by_phone(session, spelling)] == [member.id]


async def test_family_members_may_share_a_phone_and_an_erased_one_is_not_found(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        one = await make_member(session, phone="13800138000")
        two = await make_member(session, phone="13800138000", created_at=now + timedelta(days=1))
        await make_member(session, phone="13800138000", erased_at=now)
    async with database.read() as session:
        found = await members.find_by_phone(session, "13800138000")
    assert [member.id for member in found] == [one.id, two.id]


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("13800138000", "13800138000"),
        ("0531-88888888", "053188888888"),
        ("+86 0531 8888 8888", "053188888888"),
        ("（0531）8888-8888", "053188888888"),
        ("88888888", "88888888"),
        ("400-123-4567", "4001234567"),
    ],
)
def test_a_phone_number_is_kept_as_bare_digits(text: str, digits: str) -> None:
    assert members.normal_phone(text) == digits


@pytest.mark.parametrize(
    "text", ["", "12351", "12800138000", "138001380001", "1380013800", "电话", "13800138000;--", "0"]
)
def test_what_is_no_phone_number_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        members.normal_phone(text)
