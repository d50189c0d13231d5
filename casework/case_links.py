"""Case links: the unguessable address of a case's public page.

The token is the case's id and half of a keyed hash of it (128 bits), so nothing is stored, nobody can make
one without the data key, and it stays good for as long as that key is listed. It opens a page that shows how
far a case is, and nothing of what it is about: links are forwarded.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.crypto import keyed_hash, keyed_hashes
from casework.errors import NotFound
from casework.tables import Case, Member

PURPOSE = "case-page"
_BYTES = 16


def page_token(case_id: str) -> str:
    """The token of a case's page: 43 url-safe characters."""
    mark = bytes.fromhex(keyed_hash(PURPOSE, case_id))[:_BYTES]
    return base64.urlsafe_b64encode(bytes.fromhex(case_id) + mark).rstrip(b"=").decode()


def page_url(public_url: str, case_id: str) -> str:
    """The address of a case's page, where members reach us under ``public_url``."""
    return f"{public_url.rstrip('/')}/case/{page_token(case_id)}"


async def case_of_token(session: AsyncSession, token: str) -> Case:
    """The case a token opens; raises NotFound for any other token, and once its member was erased."""
    case_id = _read(token)
    found = await session.execute(
        select(Case, Member.erased_at).join(Member, Member.id == Case.member_id).where(Case.id == case_id)
    )
    row = found.first()
    if row is None or row[1] is not None:
        raise NotFound("no such case")
    case: Case = row[0]
    return case


def _read(token: str) -> str:
    try:
        raw = base64.b64decode(token + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NotFound("no such case") from None
    case_id, mark = raw[:_BYTES].hex(), raw[_BYTES:]
    known = [
        hmac.compare_digest(mark, bytes.fromhex(good)[:_BYTES]) for good in keyed_hashes(PURPOSE, case_id)
    ]
    if not any(known):
        raise NotFound("no such case")
    return case_id
