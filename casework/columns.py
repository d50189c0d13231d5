"""Column types: aware UTC times, encrypted text and JSON, and enumerations stored by value."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import DateTime, Enum, LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.orm import MappedColumn, mapped_column
from sqlalchemy.types import TypeDecorator

from casework.crypto import current_cipher

E = TypeVar("E", bound=StrEnum)


class NaiveTime(ValueError, DontWrapMixin):
    """A moment without a time zone was about to be stored."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: takes any aware datetime, stores UTC, gives back aware UTC; raises NaiveTime."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment; SQLite keeps no zone, so it is given UTC without one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveTime(f"a stored moment needs its time zone: got {value.isoformat()}")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment back aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EncryptedText(TypeDecorator[str]):
    """Text that is encrypted at rest; it cannot be searched (keep a keyed hash beside it)."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Encrypt with the installed cipher; raises CipherError when there is none."""
        return None if value is None else _seal(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Decrypt with the installed cipher; raises CipherError when no key fits."""
        return None if value is None else _open(value)


class EncryptedJSON(TypeDecorator[Any]):
    """A JSON value that is encrypted at rest; change it by assigning a new one, never in place."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """Encrypt with the installed cipher; raises CipherError when there is none."""
        return None if value is None else _seal(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        """Decrypt with the installed cipher; raises CipherError when no key fits."""
        return None if value is None else json.loads(_open(value))


def enum_column(kind: type[E], default: E | None = None) -> MappedColumn[E]:
    """A column for an enumeration: its values as text (20 characters), checked by the database."""
    column_type = Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )
    if default is None:
        return mapped_column(column_type)
    return mapped_column(column_type, default=default)


def _seal(text: str) -> bytes:
    # A lone surrogate (a cut emoji from a broken client) has no UTF-8 form and could never be sent
    # back out; it becomes "?" instead of failing the whole message.
    return current_cipher().encrypt(text.encode("utf-8", "replace"))


def _open(stored: bytes) -> str:
    return current_cipher().decrypt(stored).decode("utf-8")
