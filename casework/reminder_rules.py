"""Reminder rules: when members may be reminded, and which words stop and begin it (``reminders.yml``)."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path

from casework.clock import SHANGHAI
from casework.knowledge_files import Entry, read_knowledge
from casework.tables import ReminderKind

FILE = "reminders.yml"
MAX_SPREAD_MINUTES = 240
MAX_AHEAD = 400
"""The most days or hours before, and the most days a reminder stays useful."""
_DATED_KINDS = (ReminderKind.SEASON, ReminderKind.PROMISED_REPLY)
"""Kinds whose reminders end after ``useful_days``; the others end with what they are about."""
_SILENT = "CPSZ"
"""Unicode categories that do not count in a word: controls, punctuation, symbols, blanks."""


class ReminderWord(StrEnum):
    """What a member wants with one word."""

    STOP = "stop"
    STOP_SOON = "stop_soon"
    BEGIN = "begin"


@dataclass(frozen=True, slots=True)
class ReminderRules:
    """Reminder rules: everything of ``reminders.yml``, and the times it leads to."""

    quiet_from: time
    quiet_until: time
    spread_minutes: int
    at: time
    limitation_days_before: tuple[int, ...]
    appointment_hours_before: tuple[int, ...]
    useful_days: Mapping[ReminderKind, int]
    busy_for: timedelta
    soon: timedelta
    """How long after a reminder a short word may still mean it."""
    words: Mapping[str, ReminderWord]

    @classmethod
    def load(cls, root: Path) -> ReminderRules:
        """Read ``reminders.yml`` of a knowledge folder; raises KnowledgeError naming the entry at fault."""
        top = Entry(FILE, "(top)", read_knowledge(root / FILE))
        quiet = top.entry("quiet")
        useful = top.entry("useful_days")
        rules = cls(
            quiet_from=_time(quiet, "from"),
            quiet_until=_time(quiet, "until"),
            spread_minutes=_whole(quiet, "spread_minutes", MAX_SPREAD_MINUTES),
            at=_time(top, "at"),
            limitation_days_before=_falling(top, "limitation_days_before"),
            appointment_hours_before=_falling(top, "appointment_hours_before"),
            useful_days={kind: _whole(useful, kind.value, MAX_AHEAD) for kind in _DATED_KINDS},
            busy_for=timedelta(minutes=_whole(top, "busy_minutes", MAX_SPREAD_MINUTES)),
            soon=timedelta(hours=_whole(top, "soon_hours", MAX_AHEAD)),
            words=_words(top.entry("words")),
        )
        for entry in (quiet, useful, top):
            entry.done()
        if rules.quiet_from == rules.quiet_until:
            raise quiet.error("from and until must differ")
        if rules._quiet_at(rules.at):
            raise top.error("at must not lie in the quiet hours")
        return rules

    def is_quiet(self, moment: datetime) -> bool:
        """Whether nothing is sent at an aware moment."""
        return self._quiet_at(moment.astimezone(SHANGHAI).time())

    def goes_at(self, moment: datetime, key: str) -> datetime:
        """When something due at an aware moment may be sent: then, or in the morning after the quiet hours.

        ``key`` (whose it is and what about) picks its place in the morning's spread, always the same one.
        """
        if not self.is_quiet(moment):
            return moment
        digest = hashlib.sha256(key.encode()).digest()
        wait = int.from_bytes(digest[:8], "big") % (self.spread_minutes * 60)
        return self._quiet_ends_after(moment) + timedelta(seconds=wait)

    def waits_for_human_until(self, useful_until: datetime) -> datetime:
        """How long a reminder keeps silent while a human speaks: until the last morning on which it helps."""
        local = useful_until.astimezone(SHANGHAI)
        morning = local.replace(
            hour=self.quiet_until.hour, minute=self.quiet_until.minute, second=0, microsecond=0
        )
        return morning if morning < local else morning - timedelta(days=1)

    def on(self, day: date) -> datetime:
        """The moment of a reminder that is planned for a day."""
        return datetime.combine(day, self.at, SHANGHAI)

    def word(self, text: str | None) -> ReminderWord | None:
        """What a whole message asks for, when it is one of our words and nothing else."""
        if text is None or len(text) > 40:
            return None
        return self.words.get(fold(text))

    def _quiet_at(self, local: time) -> bool:
        if self.quiet_from < self.quiet_until:
            return self.quiet_from <= local < self.quiet_until
        return local >= self.quiet_from or local < self.quiet_until

    def _quiet_ends_after(self, moment: datetime) -> datetime:
        local = moment.astimezone(SHANGHAI)
        ends = datetime.combine(local.date(), self.quiet_until, SHANGHAI)
        return ends if ends > local else ends + timedelta(days=1)


def fold(text: str) -> str:
    """A short message as words are compared: without width, case, blanks, punctuation and emoji."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return "".join(
        one for one in plain if unicodedata.category(one)[0] not in _SILENT and one not in "\ufe0f\u200d"
    )


def _words(entry: Entry) -> dict[str, ReminderWord]:
    words: dict[str, ReminderWord] = {}
    for meaning in ReminderWord:
        listed = entry.texts(meaning.value)
        if not listed:
            raise entry.error(f"{meaning.value} must have words")
        for text in listed:
            word = fold(text)
            if not word or word in words:
                raise entry.error(f"{meaning.value}: {text!r} is empty or listed twice")
            words[word] = meaning
    entry.done()
    return words


def _time(entry: Entry, field: str) -> time:
    text = entry.text(field)
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007  # a time of day has no zone
    except ValueError as error:
        raise entry.error(f'{field} must be a time such as "08:00", not {text!r}') from error


def _whole(entry: Entry, field: str, most: int) -> int:
    value = entry.raw(field)
    if type(value) is not int or not 1 <= value <= most:
        raise entry.error(f"{field} must be a whole number from 1 to {most}")
    return value


def _falling(entry: Entry, field: str) -> tuple[int, ...]:
    """Whole numbers, each smaller than the one before."""
    listed = entry.raw(field)
    whole = isinstance(listed, list) and all(type(one) is int and 1 <= one <= MAX_AHEAD for one in listed)
    if not listed or not whole or listed != sorted(set(listed), reverse=True):
        raise entry.error(f"{field} must be a list of falling whole numbers from 1 to {MAX_AHEAD}")
    return tuple(listed)
