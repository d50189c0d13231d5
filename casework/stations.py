"""Stations: where a member can walk in; by district, by name, or nearest to where they are."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.errors import BadInput
from casework.station_import import ImportReport, Problem, import_stations, in_jinan
from casework.tables import Station

EARTH_RADIUS_KM = 6371.0088
MAX_FOUND = 10
MIN_NAME = 2
"""Characters of a name before it says anything."""


@dataclass(frozen=True, slots=True)
class NearStation:
    """A station and how far it is, in kilometres as the crow flies, rounded to 0.1."""

    station: Station
    kilometres: float


async def count(session: AsyncSession) -> int:
    """How many stations there are."""
    return await session.scalar(select(func.count()).select_from(Station)) or 0


async def by_code(session: AsyncSession, code: str) -> Station | None:
    """The station with this code, or None."""
    return (await session.scalars(select(Station).where(Station.code == code))).one_or_none()


async def by_district(
    session: AsyncSession, district: str, *, kind: str | None = None, limit: int = MAX_FOUND
) -> list[Station]:
    """The stations of a district (official name), real ones before samples."""
    query = select(Station).where(Station.district == district)
    if kind is not None:
        query = query.where(Station.kind == kind)
    found = await session.scalars(query.order_by(Station.is_sample, Station.kind, Station.name).limit(limit))
    return list(found)


async def by_name(session: AsyncSession, text: str, *, limit: int = MAX_FOUND) -> list[Station]:
    """The stations whose name holds the text, or that the text names, the best match first.

    Blanks, width and case do not matter; a text of one character finds nothing.
    """
    asked = _folded(text)
    if len(asked) < MIN_NAME:
        return []
    ranked = []
    for station in await session.scalars(select(Station).order_by(Station.is_sample, Station.name)):
        name = _folded(station.name)
        if asked in name or name in asked:
            ranked.append((abs(len(name) - len(asked)), station))
    ranked.sort(key=lambda pair: pair[0])
    return [station for _, station in ranked[:limit]]


async def nearest(
    session: AsyncSession, latitude: float, longitude: float, limit: int, *, kind: str | None = None
) -> list[NearStation]:
    """The nearest stations that have a position, nearest first; raises BadInput for impossible degrees."""
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        raise BadInput("a position needs two numbers", field="location")
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise BadInput("a position has degrees up to 90 and 180", field="location")
    query = select(Station).where(Station.latitude.is_not(None), Station.longitude.is_not(None))
    if kind is not None:
        query = query.where(Station.kind == kind)
    measured = [
        (distance_km(latitude, longitude, station.latitude, station.longitude), station)
        for station in await session.scalars(query)
        if station.latitude is not None and station.longitude is not None
    ]
    measured.sort(key=lambda pair: (pair[0], pair[1].is_sample, pair[1].code))
    return [NearStation(station, round(kilometres, 1)) for kilometres, station in measured[:limit]]


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """The great-circle distance (haversine) between two positions in degrees, in kilometres."""
    north, south = math.radians(latitude), math.radians(other_latitude)
    half_north = (south - north) / 2
    half_east = math.radians(other_longitude - longitude) / 2
    chord = math.sin(half_north) ** 2 + math.cos(north) * math.cos(south) * math.sin(half_east) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


__all__ = [
    "ImportReport",
    "NearStation",
    "Problem",
    "by_code",
    "by_district",
    "by_name",
    "count",
    "distance_km",
    "import_stations",
    "in_jinan",
    "nearest",
]
