"""Retention: how long each table keeps what it holds, and the sweep that ends it (``retention.yml``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from casework.attachments import AttachmentStore
from casework.errors import KnowledgeError
from casework.knowledge_files import Entry, read_knowledge
from casework.retention_sweeps import SWEEPS, cut_addresses, unsent_files
from casework.tables import Base

FILE = "retention.yml"
ADDRESS_AFTER_ERASURE = timedelta(days=1)
"""How long an erased member's address is kept, so that the last answer reaches them."""
UNSENT_FILE = timedelta(days=1)
"""How long a file that was uploaded but belongs to no message is kept."""


class Then(StrEnum):
    """What happens to a table's rows when their time is over."""

    KEEP = "keep"
    WITH = "with"
    ERASE = "erase"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Rule:
    """Retention rule: what happens to one table's rows, and after how long."""

    table: str
    then: Then
    why: str
    days: int | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep ended: rows by table, addresses cut, and files nobody knew."""

    rows: Mapping[str, int]
    addresses: int
    orphans: int

    @property
    def total(self) -> int:
        """Everything together: 0 means there was nothing left to do."""
        return sum(self.rows.values()) + self.addresses + self.orphans


def load_rules(path: Path) -> dict[str, Rule]:
    """Read ``retention.yml``; raises KnowledgeError for a table without a rule or a rule without a table."""
    top = Entry(path.name, "(top)", read_knowledge(path))
    rules = {name: _read_rule(name, entry) for name, entry in top.named_entries("tables").items()}
    top.done()
    tables = set(Base.metadata.tables)
    if rules.keys() != tables:
        odd = ", ".join(sorted(rules.keys() ^ tables))
        raise KnowledgeError(f"{path.name}: every table has one rule and every rule a table: {odd}")
    for rule in rules.values():
        timed = rule.then in (Then.ERASE, Then.DELETE)
        if timed != (rule.table in SWEEPS):
            raise KnowledgeError(f"{path.name}: {rule.table}: nothing here can {rule.then} it")
    for rule in rules.values():
        if rule.parent is not None and rules.get(rule.parent, rule).then not in (Then.ERASE, Then.DELETE):
            raise KnowledgeError(f"{path.name}: {rule.table}: {rule.parent} never ends")
    return rules


async def sweep(
    session: AsyncSession,
    now: datetime,
    rules: Mapping[str, Rule],
    store: AttachmentStore,
    *,
    limit: int = 200,
) -> Swept:
    """End what its rule says is over, at most ``limit`` rows of each table, in the caller's transaction.

    Call it, each time in a transaction of its own, until ``total`` is 0.
    """
    rows: dict[str, int] = {}
    for table, sweep_table in SWEEPS.items():
        days = rules[table].days
        if days is None:
            raise KnowledgeError(f"{FILE}: {table}: has no days")
        rows[table] = await sweep_table(session, now - timedelta(days=days), store, limit)
    rows["attachments"] += await unsent_files(session, now - UNSENT_FILE, store, limit)
    addresses = await cut_addresses(session, now - ADDRESS_AFTER_ERASURE, limit)
    return Swept(rows=rows, addresses=addresses, orphans=await store.sweep_orphans(session, now))


def _read_rule(table: str, entry: Entry) -> Rule:
    then = Then(entry.choice("then", tuple(Then)))
    timed = then in (Then.ERASE, Then.DELETE)
    days = entry.raw("days")
    if timed and (isinstance(days, bool) or not isinstance(days, int) or days < 1):
        raise entry.error("days must be a whole number of days")
    if timed:
        entry.text("since")
    rule = Rule(
        table=table,
        then=then,
        why=entry.text("why"),
        days=days if timed else None,
        parent=entry.text("parent") if then is Then.WITH else None,
    )
    entry.done()
    return rule
