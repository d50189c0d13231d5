"""Claim sheet links: the unguessable address of a claim sheet's page, good for thirty days.

The page shows what somebody is owed, so unlike a case's page it ends by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.errors import NotFound
from casework.page_tokens import page_token, read_page_token
from casework.tables import ClaimSheet, Member, SheetState

PURPOSE = "claim-sheet"
GOOD_FOR = timedelta(days=30)


class LinkOver(NotFound):
    """The link was good once: the sheet was given more than thirty days ago."""


def sheet_token(sheet_id: str) -> str:
    """The token of a sheet's page: 43 url-safe characters."""
    return page_token(PURPOSE, sheet_id)


def sheet_url(public_url: str, sheet: ClaimSheet) -> str:
    """The address of a sheet's page, where members reach us under ``public_url``."""
    return f"{public_url.rstrip('/')}/claims/{sheet_token(sheet.id)}"


async def sheet_of_token(session: AsyncSession, token: str, now: datetime) -> ClaimSheet:
    """The sheet a token opens.

    Raises NotFound for any other token, one whose sheet was not given, and once its member was erased;
    LinkOver when the thirty days are over.
    """
    sheet_id = read_page_token(PURPOSE, token)
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
