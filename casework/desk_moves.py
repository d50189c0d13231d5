"""Desk moves: what one member of staff may do with a conversation as it stands, for the buttons of the desk.

The deeds themselves check again under the lock; this only keeps the desk from offering what would be refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from casework.permissions import Right, may
from casework.tables import Conversation, Owner, Staff


class Standing(StrEnum):
    """How a conversation stands to one member of staff."""

    MINE = "mine"
    MY_WRAP_UP = "my_wrap_up"
    QUEUED = "queued"
    BOT = "bot"
    COLLEAGUE = "colleague"
    SUPERVISOR = "supervisor"  # in the queue, for a supervisor only
    READER = "reader"  # who may look and nothing else


@dataclass(frozen=True, slots=True)
class Moves:
    """What may be done now; every field is a deed of the conversation page."""

    standing: Standing
    take_over: bool = False
    reply: bool = False
    note: bool = False
    finish: bool = False
    resume: bool = False
    hand_back: bool = False
    transfer: bool = False
    release: bool = False
    hold: bool = False
    unhold: bool = False
    snooze: bool = False
    unsnooze: bool = False
    block: bool = False
    unblock: bool = False
    unmask: bool = False
    suggest: bool = False
    open_case: bool = False
    files: bool = False


def moves_open_to(conversation: Conversation, staff: Staff, now: datetime) -> Moves:
    """What this member of staff may do with the conversation now; auditors and closed accounts nothing."""
    standing = standing_of(conversation, staff)
    if standing is Standing.READER:
        return Moves(standing)
    directs = may(staff, Right.DIRECT)
    mine = standing in (Standing.MINE, Standing.MY_WRAP_UP)
    human = conversation.owner in (Owner.HUMAN, Owner.WRAP_UP)
    speaks = standing is Standing.MINE
    held = conversation.held_until is not None and conversation.held_until > now
    snoozed = conversation.snoozed_until is not None and conversation.snoozed_until > now
    blocked = conversation.blocked_until is not None and conversation.blocked_until > now
    disposes = human and (mine or directs)
    return Moves(
        standing,
        take_over=_may_take_over(conversation, standing, directs=directs),
        reply=mine or standing is Standing.QUEUED,
        note=True,
        finish=conversation.owner is Owner.HUMAN and disposes,
        resume=conversation.owner is Owner.WRAP_UP and disposes,
        hand_back=disposes,
        transfer=disposes or (conversation.owner is Owner.QUEUED and directs),
        release=disposes,
        hold=speaks and not held,
        unhold=speaks and held,
        snooze=speaks and not snoozed and conversation.waiting_since is None,
        unsnooze=speaks and snoozed,
        block=disposes and may(staff, Right.BLOCK),
        unblock=blocked and may(staff, Right.BLOCK),
        unmask=may(staff, Right.UNMASK) and (conversation.staff_id == staff.id or directs),
        suggest=may(staff, Right.SUGGEST),
        open_case=may(staff, Right.WORK_CASES) and (mine or directs),
        files=True,
    )


def standing_of(conversation: Conversation, staff: Staff) -> Standing:
    """How a conversation stands to this member of staff."""
    if not may(staff, Right.ANSWER):
        return Standing.READER
    if conversation.owner is Owner.BOT:
        return Standing.BOT
    if conversation.owner is Owner.QUEUED:
        only_supervisors = conversation.for_supervisor and not may(staff, Right.DIRECT)
        return Standing.SUPERVISOR if only_supervisors else Standing.QUEUED
    if conversation.staff_id != staff.id:
        return Standing.COLLEAGUE
    return Standing.MINE if conversation.owner is Owner.HUMAN else Standing.MY_WRAP_UP


def _may_take_over(conversation: Conversation, standing: Standing, *, directs: bool) -> bool:
    if standing in (Standing.BOT, Standing.QUEUED):
        return True
    # A colleague who wraps up no longer speaks; one who speaks yields only to who directs others.
    return standing is Standing.COLLEAGUE and (conversation.owner is Owner.WRAP_UP or directs)
