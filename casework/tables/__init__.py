"""The case database: every table, its invariants, and nothing that acts.

Times are aware UTC. Members' names, phones, identities and free text are ``EncryptedText``;
what must be searchable has a keyed hash beside it. Enumerations are stored by value.
"""

from casework.tables.base import (
    Base,
    BigId,
    new_id,
)
from casework.tables.claims import (
    ClaimSheet,
    SheetState,
)
from casework.tables.desk import (
    Alert,
    AlertKind,
    AuditEntry,
    CannedReply,
    DeskSetting,
    SavedFilter,
    SearchTerm,
    SuggestionState,
    TrainingSuggestion,
    Unmasking,
    Watcher,
)
from casework.tables.library import (
    ArticleVersion,
    VersionState,
)
from casework.tables.people import (
    Channel,
    ChannelIdentity,
    Member,
    Presence,
    Staff,
    StaffRole,
    StaffSession,
    Team,
)
from casework.tables.reminders import (
    Reminder,
    ReminderConsent,
    ReminderKind,
    ReminderState,
)
from casework.tables.talk import (
    Audience,
    Author,
    ButtonToken,
    Conversation,
    Delivery,
    Handling,
    Handoff,
    Message,
    OutboxEntry,
    Owner,
    Priority,
)
from casework.tables.work import (
    Attachment,
    Case,
    CaseEvent,
    CaseLink,
    CaseSerial,
    CaseState,
    Station,
)

__all__ = [
    "Alert",
    "AlertKind",
    "ArticleVersion",
    "Attachment",
    "Audience",
    "AuditEntry",
    "Author",
    "Base",
    "BigId",
    "ButtonToken",
    "CannedReply",
    "Case",
    "CaseEvent",
    "CaseLink",
    "CaseSerial",
    "CaseState",
    "Channel",
    "ChannelIdentity",
    "ClaimSheet",
    "Conversation",
    "Delivery",
    "DeskSetting",
    "Handling",
    "Handoff",
    "Member",
    "Message",
    "OutboxEntry",
    "Owner",
    "Presence",
    "Priority",
    "Reminder",
    "ReminderConsent",
    "ReminderKind",
    "ReminderState",
    "SavedFilter",
    "SearchTerm",
    "SheetState",
    "Staff",
    "StaffRole",
    "StaffSession",
    "Station",
    "SuggestionState",
    "Team",
    "TrainingSuggestion",
    "Unmasking",
    "VersionState",
    "Watcher",
    "new_id",
]
