"""Case views: which cases an address asks for, and what a worker may narrow them by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from bot.house import House
from casework.case_lists import CaseCounts, CaseQuery, Order, day_of
from casework.clock import SHANGHAI
from casework.errors import BadInput
from casework.permissions import Right, may
from casework.tables import CaseState, Priority, Staff

MAX_ID = 2**31
MAX_TRAIL = 30
"""Pages one can go back; further on there is the first page."""


class CaseTab(StrEnum):
    """Which cases a tab shows."""

    MINE = "mine"
    TEAM = "team"
    UNASSIGNED = "unassigned"
    ALL = "all"
    OVERDUE = "overdue"
    TODAY = "today"
    CLOSED = "closed"


CLOSED_STATES = (CaseState.RESOLVED, CaseState.FOLLOWED_UP, CaseState.ARCHIVED, CaseState.WITHDRAWN)
OPEN_STATES = tuple(state for state in CaseState if state not in CLOSED_STATES)


@dataclass(frozen=True, slots=True)
class CaseView:
    """Case view: a tab with its filters, as the address of the page says them."""

    tab: CaseTab
    state: CaseState | None = None
    topic: str | None = None
    case_type: str | None = None
    district: str | None = None
    priority: Priority | None = None
    team_id: int | None = None
    opened_from: date | None = None
    opened_to: date | None = None
    """The last day, included."""
    cursor: str | None = None
    trail: tuple[str, ...] = ()
    """The cursors of the pages before, the first page's left out."""

    @classmethod
    def read(cls, values: Mapping[str, str], staff: Staff) -> CaseView:
        """A view from an address; raises BadInput (field ``filter``) for one there is not."""
        given = {name: value.strip() for name, value in values.items() if value.strip()}
        usual = CaseTab.MINE if may(staff, Right.WORK_CASES) else CaseTab.ALL
        try:
            team = int(given["team"]) if "team" in given else None
            if team is not None and not 0 < team < MAX_ID:
                raise ValueError("no such team")
            return cls(
                tab=CaseTab(given.get("tab", usual)),
                state=CaseState(given["state"]) if "state" in given else None,
                topic=given.get("topic"),
                case_type=given.get("type"),
                district=given.get("district"),
                priority=Priority(int(given["priority"])) if "priority" in given else None,
                team_id=team,
                opened_from=date.fromisoformat(given["from"]) if "from" in given else None,
                opened_to=date.fromisoformat(given["to"]) if "to" in given else None,
                cursor=given.get("cursor"),
                trail=tuple(given.get("trail", "").split(",")) if "trail" in given else (),
            )
        except ValueError as error:
            raise BadInput("no such tab or filter", field="filter") from error

    def filters(self) -> dict[str, str]:
        """The filters as an address says them, without the tab and the page."""
        said = {
            "state": self.state,
            "topic": self.topic,
            "type": self.case_type,
            "district": self.district,
            "priority": None if self.priority is None else self.priority.value,
            "team": self.team_id,
            "from": self.opened_from,
            "to": self.opened_to,
        }
        return {name: str(value) for name, value in said.items() if value is not None}

    def address(self, **more: str) -> str:
        """The query of the first page's address, with what is given changed."""
        return urlencode({"tab": self.tab.value} | self.filters() | more)

    def query(self, staff: Staff, now: datetime) -> CaseQuery:
        """What it asks of the cases; raises BadInput for a last day before the first one."""
        if self.opened_from and self.opened_to and self.opened_to < self.opened_from:
            raise BadInput("ends before it begins", field="filter")
        query = CaseQuery(
            state=self.state,
            topic=self.topic,
            case_type=self.case_type,
            district=self.district,
            priority=self.priority,
            team_id=self.team_id,
            opened_from=_midnight(self.opened_from),
            opened_to=_midnight(self.opened_to, days=1),
            cursor=self.cursor,
        )
        match self.tab:
            case CaseTab.MINE:
                return replace(query, mine=True)
            case CaseTab.TEAM if staff.team_id is not None:
                return replace(query, team_id=staff.team_id)
            case CaseTab.TEAM:
                raise BadInput("in no team", field="filter")
            case CaseTab.UNASSIGNED:
                return replace(query, unassigned=True)
            case CaseTab.OVERDUE:
                return replace(query, overdue=True, order=Order.DUE)
            case CaseTab.TODAY:
                start, end = day_of(now)
                return replace(query, due_from=start, due_to=end, order=Order.DUE)
            case CaseTab.CLOSED:
                return replace(query, open_only=False, closed_only=True, order=Order.NEWEST)
            case CaseTab.ALL:
                return query

    def next_page(self, cursor: str) -> str:
        """The query of the address of the page after this one."""
        trail = (*self.trail, self.cursor)[-MAX_TRAIL:] if self.cursor else ()
        return self.address(cursor=cursor, **({"trail": ",".join(trail)} if trail else {}))

    def page_before(self) -> str | None:
        """The query of the address of the page before this one; None on the first."""
        if self.cursor is None:
            return None
        if not self.trail:
            return self.address()
        rest = self.trail[:-1]
        return self.address(cursor=self.trail[-1], **({"trail": ",".join(rest)} if rest else {}))


def tabs(view: CaseView, counts: CaseCounts, staff: Staff) -> list[dict[str, Any]]:
    """The tabs a member of staff has, with how many open cases each shows."""
    numbers = {
        CaseTab.MINE: counts.mine,
        CaseTab.TEAM: counts.team,
        CaseTab.UNASSIGNED: counts.unassigned,
        CaseTab.ALL: counts.all,
        CaseTab.OVERDUE: counts.overdue,
        CaseTab.TODAY: counts.due_today,
        CaseTab.CLOSED: None,
    }
    kept = {name: value for name, value in view.filters().items() if name != "state"}
    shown = [
        tab
        for tab in CaseTab
        if not (tab is CaseTab.TEAM and staff.team_id is None)
        and not (tab is CaseTab.MINE and not may(staff, Right.WORK_CASES))
    ]
    return [
        {
            "tab": tab.value,
            "href": f"/desk/cases?{urlencode({'tab': tab.value} | kept)}",
            "count": numbers[tab],
            "here": tab is view.tab,
        }
        for tab in shown
    ]


def choices(house: House, view: CaseView, topics: Mapping[str, str]) -> dict[str, Any]:
    """What the filters offer."""
    return {
        "states": CLOSED_STATES if view.tab is CaseTab.CLOSED else OPEN_STATES,
        "topics": sorted(topics.items()),
        "types": [(one.name, one.label) for one in house.knowledge.case_types],
        "districts": house.knowledge.districts.names,
        "priorities": list(Priority),
    }


def _midnight(day: date | None, days: int = 0) -> datetime | None:
    if day is None:
        return None
    try:
        return datetime.combine(day + timedelta(days=days), time(), SHANGHAI)
    except OverflowError as error:
        raise BadInput("a day no calendar has", field="filter") from error
