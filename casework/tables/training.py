"""The training workbench: what was misunderstood, what people decided and changed, and the models."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from casework.columns import EncryptedJSON, EncryptedText, enum_column
from casework.tables.base import Base, BigId


class InboxReason(StrEnum):
    """Why a message is worth a look."""

    NOT_UNDERSTOOD = "not_understood"
    LOW_CONFIDENCE = "low_confidence"
    CLOSE_TOPICS = "close_topics"
    THUMBS_DOWN = "thumbs_down"
    HANDED_OFF = "handed_off"
    """A human was asked for right after the answer."""
    SUGGESTED = "suggested"
    """应为…: the hotline said what it should have been."""


class GroupState(StrEnum):
    """Where a group of the inbox is."""

    OPEN = "open"
    SECOND = "second"
    """One person decided; it touches a crisis, so another one must decide too."""
    DISPUTED = "disputed"
    SETTLED = "settled"


class Decision(StrEnum):
    """What somebody decided about a group."""

    INTENT = "intent"
    OUT_OF_SCOPE = "out_of_scope"
    NEW_TOPIC = "new_topic"
    """None of our intents says it; a list for whoever writes new ones."""
    SKIP = "skip"


class InboxGroup(Base):
    """Inbox group: messages that say nearly the same, so that one decision serves them all."""

    __tablename__ = "inbox_groups"
    __table_args__ = (
        CheckConstraint("size >= 0", name="size_not_negative"),
        CheckConstraint("state <> 'settled' OR settled_at IS NOT NULL", name="settled_has_time"),
        CheckConstraint(
            "(decision = 'intent') = (intent IS NOT NULL) OR decision IS NULL", name="intent_is_named"
        ),
        Index("ix_inbox_groups_state_score", "state", "score"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    state: Mapped[GroupState] = enum_column(GroupState, default=GroupState.OPEN)
    text: Mapped[str] = mapped_column(EncryptedText)
    """The words of the message that stands for the group, with personal data taken out."""
    size: Mapped[int] = mapped_column(default=0)
    """How many messages it has."""
    guesses: Mapped[list[Any]] = mapped_column(default=list)
    """What a model made of the words: at most three ``[intent, probability]``, the likeliest first."""
    uncertainty: Mapped[float] = mapped_column(default=0.0)
    harm: Mapped[float] = mapped_column(default=1.0)
    score: Mapped[float] = mapped_column(default=0.0)
    """uncertainty × size × harm: what the inbox is ordered by."""
    decision: Mapped[Decision | None] = enum_column(Decision)
    intent: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(index=True)
    last_seen_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    messages: Mapped[list[InboxMessage]] = relationship(
        back_populates="group", lazy="raise", order_by="InboxMessage.message_id", cascade="all, delete-orphan"
    )
    labels: Mapped[list[InboxLabel]] = relationship(
        back_populates="group", lazy="raise", order_by="InboxLabel.id", cascade="all, delete-orphan"
    )


class InboxMessage(Base):
    """Inbox message: one member's message in a group, and why it is there."""

    __tablename__ = "inbox_messages"
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id"), primary_key=True, autoincrement=False)
    group_id: Mapped[int] = mapped_column(ForeignKey("inbox_groups.id", ondelete="CASCADE"), index=True)
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    seen_intent: Mapped[str | None] = mapped_column(String(60))
    seen_confidence: Mapped[float | None]
    model: Mapped[str | None] = mapped_column(String(40))
    """The model version that read it."""
    should_intent: Mapped[str | None] = mapped_column(String(60))
    """What the hotline said it should have been."""
    created_at: Mapped[datetime]

    group: Mapped[InboxGroup] = relationship(back_populates="messages", lazy="raise")


class InboxLabel(Base):
    """Inbox label: what one person decided about one group, without having seen another's decision."""

    __tablename__ = "inbox_labels"
    __table_args__ = (
        UniqueConstraint("group_id", "staff_id"),
        CheckConstraint("(decision = 'intent') = (intent IS NOT NULL)", name="intent_is_named"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("inbox_groups.id", ondelete="CASCADE"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    decision: Mapped[Decision] = enum_column(Decision)
    intent: Mapped[str | None] = mapped_column(String(60))
    text: Mapped[str | None] = mapped_column(EncryptedText)
    """The sentence to learn from, facts marked ``[value](fact)``; None: the group's words as they are."""
    note: Mapped[str | None] = mapped_column(EncryptedText)
    resolves: Mapped[bool] = mapped_column(default=False)
    """Given after a dispute, knowing both sides; does not count for the agreement."""
    created_at: Mapped[datetime]

    group: Mapped[InboxGroup] = relationship(back_populates="labels", lazy="raise")


class ChangeDeed(StrEnum):
    """What was done to a training sentence."""

    ADD = "add"
    EDIT = "edit"
    MOVE = "move"
    REMOVE = "remove"


class ChangeOrigin(StrEnum):
    """Where a change of the training sentences came from."""

    INBOX = "inbox"
    HAND = "hand"
    IMPORT = "import"
    LINT = "lint"


class SampleChange(Base):
    """Sample change: one change of the training sentences, on top of ``data/nlu``, with who and when.

    The training set is what the files say with every change that is not undone, in order
    (``casework.samples``).
    """

    __tablename__ = "sample_changes"
    __table_args__ = (
        CheckConstraint("deed = 'add' OR before_intent IS NOT NULL", name="has_before"),
        CheckConstraint("deed = 'remove' OR after_intent IS NOT NULL", name="has_after"),
        CheckConstraint("(undone_at IS NULL) = (undone_by_id IS NULL)", name="undone_by_somebody"),
        Index("ix_sample_changes_before_intent", "before_intent"),
        Index("ix_sample_changes_after_intent", "after_intent"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    deed: Mapped[ChangeDeed] = enum_column(ChangeDeed)
    origin: Mapped[ChangeOrigin] = enum_column(ChangeOrigin)
    before_text: Mapped[str | None] = mapped_column(EncryptedText)
    before_intent: Mapped[str | None] = mapped_column(String(60))
    after_text: Mapped[str | None] = mapped_column(EncryptedText)
    after_intent: Mapped[str | None] = mapped_column(String(60))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("inbox_groups.id", ondelete="SET NULL"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """Who did it; None: the command line."""
    note: Mapped[str | None] = mapped_column(EncryptedText)
    created_at: Mapped[datetime] = mapped_column(index=True)
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    committed_at: Mapped[datetime | None]
    """When it was written into ``data/nlu``."""


class JobState(StrEnum):
    """Where a training job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobStage(StrEnum):
    """What a training job is doing."""

    WAITING = "waiting"
    GATHERING = "gathering"
    TRAINING = "training"
    MEASURING = "measuring"
    JUDGING = "judging"
    STORING = "storing"


class TrainingJob(Base):
    """Training job: one training in the background, from the button to the verdict."""

    __tablename__ = "training_jobs"
    __table_args__ = (
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress_range"),
        CheckConstraint("state IN ('queued', 'running') OR finished_at IS NOT NULL", name="over_has_time"),
        Index(
            "uq_training_jobs_one_at_a_time",
            "slot",
            unique=True,
            sqlite_where=text("state IN ('queued', 'running')"),
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    slot: Mapped[int] = mapped_column(default=1)
    """The same for all jobs: only one of them may be under way."""
    state: Mapped[JobState] = enum_column(JobState, default=JobState.QUEUED)
    stage: Mapped[JobStage] = enum_column(JobStage, default=JobStage.WAITING)
    progress: Mapped[float] = mapped_column(default=0.0)
    why: Mapped[str | None] = mapped_column(String(200))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """Who asked for it; None: the command line."""
    worker: Mapped[str | None] = mapped_column(String(80))
    """Which machine and process does it."""
    changes_up_to: Mapped[int] = mapped_column(BigId, default=0)
    """The last sample change that is in it."""
    hashes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What it was made of: data, configuration, dictionary, code, seed (``casework.training_jobs``)."""
    log: Mapped[str | None] = mapped_column(EncryptedText)
    error: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(index=True)
    started_at: Mapped[datetime | None]
    beat_at: Mapped[datetime | None]
    """When its worker last said that it lives."""
    cancel_requested_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ModelState(StrEnum):
    """What a model version is at present."""

    CANDIDATE = "candidate"
    CANARY = "canary"
    LIVE = "live"
    RETIRED = "retired"


class ModelVersion(Base):
    """Model version: one trained model with what it was made of, how it was judged, and what it is now."""

    __tablename__ = "model_versions"
    __table_args__ = (
        CheckConstraint("(state = 'canary') = (canary_share IS NOT NULL)", name="canary_has_share"),
        CheckConstraint("canary_share IS NULL OR canary_share BETWEEN 1 AND 50", name="canary_share_range"),
        CheckConstraint("state <> 'live' OR live_since IS NOT NULL", name="live_has_time"),
        CheckConstraint("length(sha256) = 64", name="sha256_length"),
        Index(
            "uq_model_versions_live",
            "state",
            unique=True,
            sqlite_where=text("state = 'live'"),
            postgresql_where=text("state = 'live'"),
        ),
        Index(
            "uq_model_versions_canary",
            "state",
            unique=True,
            sqlite_where=text("state = 'canary'"),
            postgresql_where=text("state = 'canary'"),
        ),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    """The day in Shanghai and that day's serial: ``2026-11-23-1``."""
    state: Mapped[ModelState] = enum_column(ModelState, default=ModelState.CANDIDATE)
    canary_share: Mapped[int | None]
    """Percent of the conversations that are on it while it is the canary."""
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    """Of the model's file; what every replica checks before it loads it."""
    size: Mapped[int]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("training_jobs.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    why: Mapped[str | None] = mapped_column(String(200))
    hashes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    scores: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Figures on the gold set (``nlu.evaluation``), without any sentence."""
    gate: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON)
    """What the gate saw and said, sentences included; None: it was never compared."""
    passed: Mapped[bool | None]
    """The gate's verdict; None where there was nothing to compare with."""
    safe: Mapped[bool | None]
    """Whether it keeps the safety floors; where not, nobody may override the gate."""
    against_id: Mapped[int | None] = mapped_column(ForeignKey("model_versions.id"))
    """The version it was compared with."""
    created_at: Mapped[datetime] = mapped_column(index=True)
    live_since: Mapped[datetime | None]


class ModelDeed(StrEnum):
    """What was done with a model version."""

    REGISTERED = "registered"
    JUDGED = "judged"
    OVERRIDDEN = "overridden"
    PROMOTED = "promoted"
    CANARY_BEGUN = "canary_begun"
    CANARY_ENDED = "canary_ended"
    ROLLED_BACK = "rolled_back"
    ROLLED_BACK_BY_ITSELF = "fell_back"


class ModelEvent(Base):
    """Model event: one deed in the life of a model version: who, when, why, and on what figures."""

    __tablename__ = "model_events"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"), index=True)
    from_id: Mapped[int | None] = mapped_column(ForeignKey("model_versions.id"))
    """The version that was live before, where the deed changed which one is."""
    deed: Mapped[ModelDeed] = enum_column(ModelDeed)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """Who did it; None: the command line, or the watch over live figures."""
    reason: Mapped[str | None] = mapped_column(String(500))
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(index=True)


class AnswerVote(Base):
    """Answer vote: whether a member says that one of the bot's answers helped."""

    __tablename__ = "answer_votes"
    message_id: Mapped[int] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    """The bot's message."""
    helpful: Mapped[bool]
    created_at: Mapped[datetime]
