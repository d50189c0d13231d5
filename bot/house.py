"""House: the open things of the bot's process, made once at start and handed to every door."""

from __future__ import annotations

from dataclasses import dataclass

from bot.dialogue import DialogueClient
from bot.switchboard import Switchboard
from casework.attachments import AttachmentStore
from casework.clock import Clock
from casework.crisis import CrisisRules
from casework.database import Database
from casework.desk_rules import DeskRules
from casework.entitlements.registry import Entitlements
from casework.knowledge import Knowledge
from casework.rates import Rates
from casework.reminder_rules import ReminderRules
from casework.settings import Settings
from casework.wording import Wording


@dataclass(frozen=True)
class House:
    """What every door needs."""

    settings: Settings
    database: Database
    clock: Clock
    wording: Wording
    knowledge: Knowledge
    rates: Rates
    entitlements: Entitlements
    crisis: CrisisRules
    dialogue: DialogueClient
    switchboard: Switchboard
    attachments: AttachmentStore
    reminder_rules: ReminderRules
    desk_rules: DeskRules
    """As shipped in ``desk.yml``; what supervisors changed is read with each use."""
