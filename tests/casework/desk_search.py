"""What the tests of the search share: things said and opened, and what is found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from casework import search
from casework.database import Database
from casework.search import Results
from casework.tables import SearchTerm
from tests.factories import FIRST_MOMENT, make_case, make_message


async def said(database: Database, text: str, **values: Any) -> str:
    """A conversation in which this was said, indexed; gives its id."""
    async with database.transaction() as session:
        message = await make_message(session, text=text, **values)
        await search.index_message(session, message)
        return message.conversation_id


async def opened(database: Database, **values: Any) -> str:
    """A case with these values, indexed; gives its id."""
    async with database.transaction() as session:
        case = await make_case(session, **values)
        await search.index_case(session, case)
        return case.id


async def looked_for(database: Database, query: str, **options: Any) -> Results:
    async with database.read() as session:
        return await search.find(session, query, FIRST_MOMENT + timedelta(days=1), **options)


async def hits(database: Database, query: str) -> list[tuple[str, str, str]]:
    """Kind, id and why of what is found."""
    return [(hit.kind, hit.id, hit.why) for hit in (await looked_for(database, query)).found]


async def stored_terms(database: Database, ref: str) -> set[int]:
    async with database.read() as session:
        return set(await session.scalars(select(SearchTerm.term).where(SearchTerm.ref == ref)))
