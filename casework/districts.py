"""Districts: Jinan's ten districts and two counties, and the ways people say them (facts §7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from casework.errors import KnowledgeError
from casework.knowledge_files import Entry, read_knowledge


@dataclass(frozen=True, slots=True)
class District:
    """District: one of Jinan's districts or counties; ``said`` are its names, ``places`` only hint at it."""

    name: str
    code: str
    said: tuple[str, ...]
    places: tuple[str, ...]
    confused_with: str | None
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Zone:
    """Zone: a functional area that is no district of its own; ``maybe`` are those it may lie in."""

    name: str
    said: tuple[str, ...]
    maybe: tuple[str, ...]


class Districts:
    """The districts of one knowledge file."""

    def __init__(self, districts: tuple[District, ...], zones: tuple[Zone, ...]) -> None:
        self._by_name = {district.name: district for district in districts}
        self.zones = zones
        self._said = sorted(
            ((said, district.name) for district in districts for said in district.said),
            key=lambda pair: -len(pair[0]),
        )
        hints: list[tuple[str, tuple[str, ...]]] = [
            (place, (district.name,)) for district in districts for place in district.places
        ]
        hints += [(said, zone.maybe) for zone in zones for said in zone.said]
        self._hints = sorted(hints, key=lambda pair: -len(pair[0]))

    @classmethod
    def load(cls, path: Path) -> Districts:
        """Read ``districts.yml``; raises KnowledgeError for a name two districts share or an unknown one."""
        top = Entry(path.name, "(top)", read_knowledge(path))
        districts = tuple(_district(entry) for entry in top.entries("districts"))
        zones = tuple(_zone(entry) for entry in top.entries("zones"))
        for entry in top.entries("ambiguous"):
            _known(entry, entry.texts("candidates"), {district.name for district in districts})
        top.done()
        names = {district.name for district in districts}
        for entry in top.entries("zones"):
            _known(entry, entry.texts("maybe"), names)
        seen: dict[str, str] = {}
        for district in districts:
            if district.confused_with is not None and district.confused_with not in names:
                raise KnowledgeError(f"{path.name}: {district.name}: confused_with is no district")
            for said in district.said:
                if seen.setdefault(said, district.name) != district.name:
                    raise KnowledgeError(f"{path.name}: {said} means both {seen[said]} and {district.name}")
        return cls(districts, zones)

    @property
    def names(self) -> tuple[str, ...]:
        """The official names, in the file's order."""
        return tuple(self._by_name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> District:
        """The district with this official name; raises KeyError."""
        return self._by_name[name]

    def __iter__(self) -> Iterator[District]:
        return iter(self._by_name.values())

    def named(self, text: str) -> District | None:
        """The district a text names (official, alias, old name, misspelling; the longest wins), or None."""
        folded = text.lower()
        found = next((name for said, name in self._said if said in folded), None)
        return None if found is None else self._by_name[found]

    def maybe(self, text: str) -> tuple[str, ...]:
        """The districts a street, landmark or zone in the text may lie in; to be confirmed by the member."""
        folded = text.lower()
        return next((names for place, names in self._hints if place.lower() in folded), ())


def _district(entry: Entry) -> District:
    centre = entry.entry("centre")
    name = entry.text("name")
    entry.optional_text("note")
    district = District(
        name=name,
        code=entry.text("code"),
        said=(name, *entry.texts("aliases"), *entry.texts("misspellings"), *entry.texts("pinyin")),
        places=entry.texts("places"),
        confused_with=entry.optional_text("confused_with"),
        latitude=centre.number("latitude"),
        longitude=centre.number("longitude"),
    )
    centre.done()
    entry.done()
    return district


def _zone(entry: Entry) -> Zone:
    name = entry.text("name")
    zone = Zone(name=name, said=(name, *entry.texts("aliases")), maybe=entry.texts("maybe"))
    entry.done()
    return zone


def _known(entry: Entry, given: tuple[str, ...], names: set[str]) -> None:
    unknown = [name for name in given if name not in names]
    if unknown or not given:
        raise entry.error(f"not official names: {', '.join(unknown) or 'none given'}")
