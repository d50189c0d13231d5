"""Cases with real numbers for the desk's tests, and the forms that do a deed to them."""

from __future__ import annotations

from typing import Any

from bot.house import House
from casework.case_numbers import issue_number
from casework.clock import shanghai_day
from casework.tables import Case, Conversation
from tests.factories import make_case, make_conversation, make_member

NAME, PHONE = "赵铁柱", "13905310531"


async def open_one(house: House, *, conversation: Conversation | None = None, **values: Any) -> Case:
    """A case of 赵铁柱, whose story holds his phone number, with a number that can be looked up."""
    now = house.clock.now()
    facts = {"story": f"欠薪三个月，打{PHONE}找我", "person_name": NAME, "phone": PHONE, "district": "历下区"}
    async with house.database.transaction() as session:
        if conversation is None:
            member = await make_member(session, name=NAME, phone=PHONE)
            conversation = await make_conversation(session, member)
        number = await issue_number(session, shanghai_day(now))
        return await make_case(
            session,
            conversation,
            **{"number": number, "facts": facts, "district": "历下区", "opened_at": now, "updated_at": now}
            | values,
        )
