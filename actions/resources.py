"""What every action needs and nobody opens twice: the database, the knowledge, the clock."""

from __future__ import annotations

from dataclasses import dataclass

from casework.claims.registry import Claims
from casework.claims.saying import Saying
from casework.clock import Clock, SystemClock
from casework.crisis import CrisisRules
from casework.crypto import install_cipher, load_keys
from casework.database import Database
from casework.desk_rules import DeskRules, load_desk_rules
from casework.entitlements.registry import Entitlements
from casework.knowledge import Knowledge
from casework.rates import Rates
from casework.reminder_rules import ReminderRules
from casework.settings import Settings


@dataclass(frozen=True)
class Resources:
    """The action server's open things."""

    settings: Settings
    database: Database
    knowledge: Knowledge
    rates: Rates
    crisis: CrisisRules
    clock: Clock
    claims: Claims
    claim_words: Saying
    reminder_rules: ReminderRules
    desk_rules: DeskRules
    """As they ship; read them in a session before they are used (``read_desk_rules``)."""

    @classmethod
    def open(cls, settings: Settings) -> Resources:
        """Open everything the actions need; raises ConfigurationError when the installation is wrong."""
        install_cipher(load_keys(settings).cipher)
        root = settings.home / "data" / "knowledge"
        knowledge = Knowledge.load(root)
        rates = Rates.load(root)
        return cls(
            settings=settings,
            database=Database(settings.database_url),
            knowledge=knowledge,
            rates=rates,
            crisis=CrisisRules.load(root / "crisis.yml"),
            clock=SystemClock(),
            claims=Claims.load(root, Entitlements.load(root, rates)),
            claim_words=Saying.load(root),
            reminder_rules=ReminderRules.load(root),
            desk_rules=load_desk_rules(root),
        )


_current: list[Resources] = []


def use(resources: Resources) -> None:
    """Make these the resources of this process (server start, or a test)."""
    _current[:] = [resources]


def current() -> Resources:
    """The resources in use; an action that runs before ``use`` is a programming error."""
    if not _current:
        raise RuntimeError("actions.resources.use() was not called")
    return _current[0]
