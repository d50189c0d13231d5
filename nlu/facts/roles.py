"""From mentions to facts: which numbers, dates and spans of a text play a role, and which one counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nlu.facts.model import Fact, Mention, corrects, is_denied, is_taken_back
from nlu.facts.stance import is_somebody_elses, is_supposed


def stated(
    name: str,
    text: str,
    mentions: Sequence[Mention],
    plays_role: Callable[[Mention], bool],
    render: Callable[[Mention], str],
) -> list[Fact]:
    """Return the facts called ``name`` among ``mentions`` (in order of the text).

    A mention counts when it plays the role itself or corrects one that does (三年哦不对四年); what is
    corrected, taken back (不对), denied (不是8000), supposed, somebody else's or approximate does not count.
    """
    facts: list[Fact] = []
    earlier: Mention | None = None
    earlier_plays = False
    for mention in mentions:
        corrected = earlier is not None and earlier_plays and corrects(text, earlier, mention)
        plays = corrected or plays_role(mention)
        if corrected and earlier is not None and facts and facts[-1].start == earlier.start:
            facts.pop()
        if plays and mention.exact and not _is_doubtful(text, mention):
            written = text[mention.start : mention.end]
            facts.append(Fact(name, render(mention), mention.start, mention.end, written))
        earlier, earlier_plays = mention, plays
    return facts


def _is_doubtful(text: str, mention: Mention) -> bool:
    return (
        is_denied(text, mention.start)
        or is_taken_back(text, mention.end)
        or is_supposed(text, mention.start, mention.end)
        or is_somebody_elses(text, mention.start)
    )


def settled(facts: Sequence[Fact]) -> list[Fact]:
    """Return the one fact of each name: the last mention where all agree, none where they contradict."""
    by_name: dict[str, list[Fact]] = {}
    for fact in facts:
        by_name.setdefault(fact.name, []).append(fact)
    agreed = [group[-1] for group in by_name.values() if len({fact.value for fact in group}) == 1]
    return sorted(agreed, key=lambda fact: (fact.start, fact.end))
