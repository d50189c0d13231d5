"""Members: who writes to us, known by their channel identities and what they chose to tell."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.crypto import keyed_hash, keyed_hashes
from casework.errors import BadInput, NotFound
from casework.search_index import index_member
from casework.tables import Channel, ChannelIdentity, Member

MAX_NAME = 40
PHONE_PURPOSE = "phone"
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_PHONE = re.compile(r"1[3-9][0-9]{9}|0[0-9]{2,3}[2-8][0-9]{6,7}|[2-8][0-9]{6,7}|[48]00[0-9]{7}")


async def ensure_member(session: AsyncSession, channel: Channel, external_id: str, now: datetime) -> Member:
    """The member a channel knows by this id, made at their first message.

    Someone who had blocked the bot and writes again is no longer blocked. Two first messages at
    once make one member.
    """
    identity = await find_identity(session, channel, external_id)
    if identity is None:
        try:
            async with session.begin_nested():
                return await _new_member(session, channel, external_id, now)
        except IntegrityError:
            # On PostgreSQL another process may have made the same member since we looked.
            identity = await find_identity(session, channel, external_id)
            if identity is None:
                raise
    identity.blocked_at = None
    identity.external_hash = _identity_hash(channel, external_id)
    return await get(session, identity.member_id)


async def find_identity(session: AsyncSession, channel: Channel, external_id: str) -> ChannelIdentity | None:
    """The identity a channel knows by this id, under whichever data key it was stored."""
    hashes = keyed_hashes(identity_purpose(channel), external_id)
    return (
        await session.scalars(
            select(ChannelIdentity).where(
                ChannelIdentity.channel == channel, ChannelIdentity.external_hash.in_(hashes)
            )
        )
    ).first()


async def get(session: AsyncSession, member_id: str) -> Member:
    """The member with this id; raises NotFound."""
    member = await session.get(Member, member_id)
    if member is None:
        raise NotFound(f"no member {member_id}")
    return member


async def record_consent(session: AsyncSession, member_id: str, version: str, now: datetime) -> Member:
    """Note that the member agreed to the privacy note of this version (PIPL art. 14); later ones replace it.

    Agreeing to the same version again keeps the first moment. Raises BadInput for an unusable version.
    """
    if not re.fullmatch(r"[\w.:-]{1,20}", version):
        raise BadInput("a consent version is 1 to 20 letters, digits or . : -")
    member = await get(session, member_id)
    if member.consent_version != version:
        member.consent_version, member.consented_at = version, now
        audit.record(session, "member", "consented", "member", member.id, now=now, version=version)
    return member


async def mark_blocked(session: AsyncSession, channel: Channel, external_id: str, now: datetime) -> None:
    """Note that this member no longer takes messages from us on this channel; an unknown one is ignored."""
    identity = await find_identity(session, channel, external_id)
    if identity is not None and identity.blocked_at is None:
        identity.blocked_at = now


async def set_contact(
    session: AsyncSession, member_id: str, *, name: str | None = None, phone: str | None = None
) -> Member:
    """Keep what the member told of their name and phone; None leaves a field, an empty text clears it.

    Raises BadInput (``values["limit"]``) for a name over 40 characters or what is no phone number.
    """
    member = await get(session, member_id)
    if name is not None:
        name = " ".join(name.split())
        if len(name) > MAX_NAME:
            raise BadInput("name too long", field="name", limit=MAX_NAME)
        member.name = name or None
    if phone is not None:
        member.phone = normal_phone(phone) if phone.strip() else None
        member.phone_hash = None if member.phone is None else keyed_hash(PHONE_PURPOSE, member.phone)
    await index_member(session, member)
    return member


async def find_by_phone(session: AsyncSession, phone: str) -> list[Member]:
    """The members who told us this phone number, in any spelling; raises BadInput for what is none."""
    hashes = keyed_hashes(PHONE_PURPOSE, normal_phone(phone))
    found = await session.scalars(
        select(Member)
        .where(Member.phone_hash.in_(hashes), Member.erased_at.is_(None))
        .order_by(Member.created_at, Member.id)
    )
    return list(found)


def normal_phone(text: str) -> str:
    """A Chinese phone number as bare digits, without 86 and separators; raises BadInput for what is none."""
    digits = re.sub(r"[\s().‐-―-]", "", text.translate(_NARROW))
    digits = re.sub(r"^(\+|00)?86(?=1[3-9][0-9]{9}$|0[0-9]{9,11}$)", "", digits)
    if not _PHONE.fullmatch(digits):
        raise BadInput("not a phone number", field="phone")
    return digits


async def _new_member(session: AsyncSession, channel: Channel, external_id: str, now: datetime) -> Member:
    member = Member(created_at=now)
    session.add(member)
    await session.flush()
    session.add(
        ChannelIdentity(
            member_id=member.id,
            channel=channel,
            external_id=external_id,
            external_hash=_identity_hash(channel, external_id),
            created_at=now,
        )
    )
    await session.flush()
    return member


def identity_purpose(channel: Channel) -> str:
    """The purpose of the keyed hash of a channel's name for a member."""
    return f"identity:{channel}"


def _identity_hash(channel: Channel, external_id: str) -> str:
    return keyed_hash(identity_purpose(channel), external_id)
