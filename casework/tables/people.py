"""People: members and how channels name them, staff, their sessions and teams."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from casework.columns import EncryptedText, enum_column
from casework.tables.base import Base, BigId, new_id


class Channel(StrEnum):
    """The door a member came through."""

    TELEGRAM = "telegram"
    WEB = "web"
    API = "api"


class StaffRole(StrEnum):
    """What a member of staff may do."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Presence(StrEnum):
    """Whether a member of staff takes conversations now."""

    ONLINE = "online"
    AWAY = "away"
    OFFLINE = "offline"


class Member(Base):
    """Member (职工/会员): one person who writes to us, known only by what they chose to tell."""

    __tablename__ = "members"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str | None] = mapped_column(EncryptedText)
    phone: Mapped[str | None] = mapped_column(EncryptedText)
    phone_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    consent_version: Mapped[str | None] = mapped_column(String(20))
    consented_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]

    identities: Mapped[list[ChannelIdentity]] = relationship(
        back_populates="member", lazy="raise", cascade="all, delete-orphan"
    )


class ChannelIdentity(Base):
    """Channel identity: how one channel names a member (a Telegram user, a web visitor)."""

    __tablename__ = "channel_identities"
    __table_args__ = (UniqueConstraint("channel", "external_hash"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    channel: Mapped[Channel] = enum_column(Channel)
    external_id: Mapped[str | None] = mapped_column(EncryptedText)
    external_hash: Mapped[str] = mapped_column(String(64))
    blocked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    member: Mapped[Member] = relationship(back_populates="identities", lazy="raise")


class Staff(Base):
    """Staff: a hotline worker, supervisor or admin who may act in conversations and cases."""

    __tablename__ = "staff"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    login: Mapped[str] = mapped_column(String(40), unique=True)
    display_name: Mapped[str] = mapped_column(String(40))
    role: Mapped[StaffRole] = enum_column(StaffRole, default=StaffRole.AGENT)
    badge: Mapped[str | None] = mapped_column(String(10), unique=True)
    """工号: what members are told instead of a name."""
    active: Mapped[bool] = mapped_column(default=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))
    presence: Mapped[Presence] = enum_column(Presence, default=Presence.OFFLINE)
    seen_at: Mapped[datetime | None]
    """When their browser was last heard of."""
    password_hash: Mapped[str | None] = mapped_column(String(200))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    totp_secret: Mapped[str | None] = mapped_column(EncryptedText)
    totp_on: Mapped[bool] = mapped_column(default=False)
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)
    """The time step of the last code taken: a code opens once."""
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class StaffSession(Base):
    """Staff session: one browser in which a member of staff signed in; ended here, it is over there."""

    __tablename__ = "staff_sessions"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    csrf_token: Mapped[str] = mapped_column(String(64))
    browser: Mapped[str | None] = mapped_column(String(120))
    confirmed: Mapped[bool] = mapped_column(default=False)
    """False while the second factor is still owed: such a session opens nothing else."""
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]


class Team(Base):
    """Team: members of staff who take the conversations and cases of certain topics together."""

    __tablename__ = "teams"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    topics: Mapped[list[Any]] = mapped_column(JSON, default=list)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
