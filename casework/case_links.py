"""Case links: the unguessable address of a case's public page.

It opens a page that shows how far a case is, and nothing of what it is about: links are forwarded.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.errors import NotFound
from casework.page_tokens import page_token, read_page_token
from casework.tables import Case, Member

PURPOSE = "case-page"


def case_token(case_id: str) -> str:
    """The token of a case's page: 43 url-safe characters."""
    return page_token(PURPOSE, case_id)


def page_url(public_url: str, case_id: str) -> str:
    """The address of a case's page, where members reach us under ``public_url``."""
    return f"{public_url.rstrip('/')}/case/{case_token(case_id)}"


async def case_of_token(session: AsyncSession, token: str) -> Case:
    """The case a token opens; raises NotFound for any other token, and once its member was erased."""
    case_id = read_page_token(PURPOSE, token)
    found = await session.execute(
        select(Case, Member.erased_at).join(Member, Member.id == Case.member_id).where(Case.id == case_id)
    )
    row = found.first()
    if row is None or row[1] is not None:
        raise NotFound("no such case")
    case: Case = row[0]
    return case
