"""Key rotation: writing what older data keys encrypted again with the newest, so that they can be retired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, func, literal, or_, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncSession

from casework.columns import EncryptedJSON, EncryptedText
from casework.crypto import Cipher, current_cipher
from casework.members import PHONE_PURPOSE, identity_purpose
from casework.search_index import reindex
from casework.tables import Base, ChannelIdentity, Member


async def reencrypt(session: AsyncSession, limit: int = 500) -> int:
    """Write up to ``limit`` rows again with the newest key, their keyed hashes and search terms too.

    Returns how many rows, and after them records whose terms were made anew. Call it, each time in a
    transaction of its own, until it returns 0; the older keys may then be taken
    out of NIANGJIA_DATA_KEY. Raises CipherError when a key that is still needed is already missing.
    """
    cipher = current_cipher()
    done = 0
    for table in Base.metadata.sorted_tables:
        columns = encrypted_columns(table)
        if columns and done < limit:
            done += await _reencrypt_table(session, cipher, table, columns, limit - done)
    if done < limit:
        done += await reindex(session, limit - done)
    return done


def encrypted_columns(table: Table) -> list[Column[Any]]:
    """The columns of a table that are encrypted at rest."""
    return [column for column in table.columns if isinstance(column.type, (EncryptedText, EncryptedJSON))]


async def _reencrypt_table(
    session: AsyncSession, cipher: Cipher, table: Table, columns: Sequence[Column[Any]], limit: int
) -> int:
    """As ``reencrypt``, for one table, whose rows are read and written as the bytes they are stored as."""
    raw = {column.name: type_coerce(column, LargeBinary) for column in columns}
    newest = literal(cipher.header, LargeBinary)
    size = len(cipher.header)
    outdated = or_(*(func.substr(stored, 1, size, type_=LargeBinary) != newest for stored in raw.values()))
    (key,) = table.primary_key.columns
    rows = await session.execute(
        select(key, *(stored.label(name) for name, stored in raw.items()))
        .where(outdated)
        .limit(limit)
        .with_for_update()
    )
    found = rows.all()
    for record_id, *stored_values in found:
        plain = {
            name: None if stored is None else cipher.decrypt(stored)
            for name, stored in zip(raw, stored_values, strict=True)
        }
        await session.execute(
            update(table)
            .where(key == record_id)
            .values(
                {
                    name: literal(cipher.encrypt(value), LargeBinary)
                    for name, value in plain.items()
                    if value is not None
                }
            )
        )
        await _rehash(session, cipher, table, record_id, plain)
    return len(found)


async def _rehash(
    session: AsyncSession, cipher: Cipher, table: Table, record_id: Any, plain: dict[str, bytes | None]
) -> None:
    """Renew the keyed hash that stands beside a searchable value."""
    if table is Member.__table__ and (phone := plain["phone"]) is not None:
        renewed = cipher.keyed_hash(PHONE_PURPOSE, phone.decode())
        await session.execute(update(Member).where(Member.id == record_id).values(phone_hash=renewed))
    if table is ChannelIdentity.__table__ and (external_id := plain["external_id"]) is not None:
        identity = await session.get_one(ChannelIdentity, record_id)
        identity.external_hash = cipher.keyed_hash(identity_purpose(identity.channel), external_id.decode())
