"""Where a member can walk in: by district, by name, or nearest to a shared location."""

from __future__ import annotations

from collections.abc import Sequence

from rasa_sdk.events import EventType, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.answering import speak_article
from actions.base import CaseworkAction, Speaker
from actions.resources import Resources
from actions.turn import Turn
from casework import stations
from casework.clock import shanghai_day
from casework.station_import import in_jinan
from casework.tables import Station

NEAREST = 3


class ActionFindStation(CaseworkAction):
    """Finds stations."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_find_station"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Say the stations found, or ask where the member is."""
        return await find_stations(turn, speaker, session, house)


async def find_stations(
    turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
) -> list[EventType]:
    """Find by location, then name, then district said now or before; ask for the district otherwise."""
    events: list[EventType] = [
        SlotSet("last_topic", "legal.station"),
        SlotSet("not_understood", 0),
        SlotSet("pending_offer", "nothing"),
    ]
    latitude, longitude = turn.entities.get("latitude"), turn.entities.get("longitude")
    if latitude is not None and longitude is not None:
        if not in_jinan(float(latitude), float(longitude)):
            speaker.say("utter_location_outside")
            return events
        found = await stations.nearest(session, float(latitude), float(longitude), NEAREST)
        _say(speaker, house, "utter_stations_heading_nearest", [(n.station, n.kilometres) for n in found], {})
        return events
    if turn.entities.get("station_name"):
        named = await stations.by_name(session, str(turn.entities["station_name"]))
        if named:
            _say(speaker, house, "utter_stations_heading_name", [(s, None) for s in named], {})
            return events
    district = turn.entities.get("district") or turn.slot("district")
    if district is None:
        article = house.knowledge.article("legal.station")
        if article is not None:
            speak_article(article, turn, speaker, house, shanghai_day(house.clock.now()), offer=False)
        speaker.say("utter_ask_station_where")
        return events
    in_district = await stations.by_district(session, str(district))
    _say(
        speaker,
        house,
        "utter_stations_heading_district",
        [(station, None) for station in in_district],
        {"district": district},
    )
    return events


def _say(
    speaker: Speaker,
    house: Resources,
    heading: str,
    found: Sequence[tuple[Station, float | None]],
    values: dict[str, object],
) -> None:
    """Say a list of stations with their distance; nothing found is said as such, never made up."""
    if not found:
        speaker.say("utter_no_station")
        return
    say = house.knowledge.wording.say
    lines = []
    for station, kilometres in found:
        parts = [station.name, station.address, station.phone, station.hours]
        if kilometres is not None:
            parts.append(say("dialogue.kilometres", km=f"{kilometres:.1f}"))
        lines.append("· " + "，".join(part for part in parts if part))
        lines.append(
            say("dialogue.station_source", source=station.source, checked_on=station.checked_on.isoformat())
        )
    speaker.say(heading, **values)
    speaker.say("utter_stations", lines="\n".join(lines))
    if any(station.is_sample for station, _ in found):
        speaker.say("utter_stations_sample_note")
