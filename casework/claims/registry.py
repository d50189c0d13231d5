"""Claims: what reads stories and works out claim sheets, opened once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from casework.claims.circumstances import Circumstances
from casework.claims.words import ClaimWords
from casework.districts import Districts
from casework.entitlements.registry import Entitlements


@dataclass(frozen=True)
class Claims:
    """Everything a claim sheet is made with."""

    circumstances: Circumstances
    words: ClaimWords
    entitlements: Entitlements
    districts: Districts

    @classmethod
    def load(cls, root: Path, entitlements: Entitlements) -> Claims:
        """Read ``data/knowledge/claims``; raises KnowledgeError."""
        return cls(
            circumstances=Circumstances.load(root),
            words=ClaimWords.load(root),
            entitlements=entitlements,
            districts=Districts.load(root / "districts.yml"),
        )
