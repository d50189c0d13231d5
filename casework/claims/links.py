"""Claim sheet links: the unguessable address of a claim sheet's page, good for thirty days.

The token is the sheet's id and half of a keyed hash of it: nothing is stored, nobody can make one without the
data key. The page shows what somebody is owed, so unlike a case's page it ends by itself.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.crypto import keyed_hash, keyed_hashes
from casework.errors import NotFound
from casework.tables import ClaimSheet, Member, SheetState

PURPOSE = "claim-sheet"
GOOD_FOR = timedelta(days=30)
_BYTES = 16


class LinkOver(NotFound):
    """The link was good once: the sheet was given more than thirty days ago."""


def sheet_token(sheet_id: str) -> str:
    """The token of a sheet's page: 43 url-safe characters."""
    mark = bytes.fromhex(keyed_hash(PURPOSE, sheet_id))[:_BYTES]
    return base64.urlsafe_b64encode(bytes.fromhex(sheet_id) + mark).rstrip(b"=").decode()


def sheet_url(public_url: str, sheet: ClaimSheet) -> str:
    """The address of a sheet's page, where members reach us under ``public_url``."""
    return f"{public_url.rstrip('/')}/claims/{sheet_token(sheet.id)}"


async def sheet_of_token(session: AsyncSession, token: str, now: datetime) -> ClaimSheet:
    """The sheet a token opens.

    Raises NotFound for any other token, one whose sheet was not given, and once its member was erased;
    LinkOver when the thirty days are over.
    """
    sheet_id = _read(token)
    found = await session.execute(
        select(ClaimSheet, Member.erased_at)
        .join(Member, Member.id == ClaimSheet.member_id)
        .where(ClaimSheet.id == sheet_id, ClaimSheet.state == SheetState.GIVEN)
    )
    row = found.first()
    if row is None or row[1] is not None:
        raise NotFound("no such claim sheet")
    sheet: ClaimSheet = row[0]
    if sheet.given_at is None or now > sheet.given_at + GOOD_FOR:
        raise LinkOver("the link is over")
    return sheet


def _read(token: str) -> str:
    try:
        raw = base64.b64decode(token + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NotFound("no such claim sheet") from None
    sheet_id, mark = raw[:_BYTES].hex(), raw[_BYTES:]
    known = [
        hmac.compare_digest(mark, bytes.fromhex(good)[:_BYTES]) for good in keyed_hashes(PURPOSE, sheet_id)
    ]
    if not any(known):
        raise NotFound("no such claim sheet")
    return sheet_id
