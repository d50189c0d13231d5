"""``python -m nlu.validation``: Rasa's own data validation, plus the rules our training data must keep.

Exits 1 with every finding on standard error. Payload-only intents (buttons, shared locations) need no
sentences:
``data/knowledge/intents.yml`` marks them ``trained: false``.
"""

from __future__ import annotations

import logging
import re
import sys
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml

MIN_SENTENCES = 60
"""Fewest sentences an intent may have; service topics may have fewer until they get rooms of their own."""
MIN_SERVICE_SENTENCES = 20
MARK = re.compile(r"\[([^\]]+)\]\(([a-z_]+)\)")


def sentences(data: Path) -> dict[str, list[str]]:
    """Every training sentence of ``data/nlu`` by intent, fact marks included."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(data.glob("*.yml")):
        for block in yaml.safe_load(file.read_text(encoding="utf-8")).get("nlu") or []:
            if "intent" in block:
                lines = str(block["examples"]).splitlines()
                found[block["intent"]] += [line[2:].strip() for line in lines if line.startswith("- ")]
    return found


def check_sentences(found: dict[str, list[str]], intents: dict[str, Any], entities: set[str]) -> list[str]:
    """Findings: too few, repeated, under two intents, marked with a fact nobody knows, or commands."""
    findings: list[str] = []
    seen: dict[str, str] = {}
    for intent, info in intents.items():
        if info.get("trained", True) is False:
            continue
        least = MIN_SERVICE_SENTENCES if str(info["topic"]).startswith("service.") else MIN_SENTENCES
        if len(found.get(intent, [])) < least:
            findings.append(f"{intent}: {len(found.get(intent, []))} sentences, at least {least} are needed")
    for intent, texts in found.items():
        if intent not in intents:
            findings.append(f"{intent}: has sentences but is not in data/knowledge/intents.yml")
        for text in texts:
            plain = re.sub(r"\s+", "", MARK.sub(r"\1", text))
            if plain in seen:
                findings.append(f"{intent}: '{plain}' also stands under {seen[plain]}")
            seen[plain] = intent
            if text.startswith("/") or "{" in text:
                findings.append(f"{intent}: '{text}' looks like a command")
            findings += [
                f"{intent}: '{text}' marks the unknown fact {name}"
                for _, name in MARK.findall(text)
                if name not in entities
            ]
    return findings


def check_rasa(root: Path, untrained: set[str]) -> list[str]:
    """Findings of Rasa's validator, warnings included; ``untrained`` intents have no sentences on purpose."""
    from rasa.shared.importers.importer import TrainingDataImporter  # noqa: PLC0415  (heavy)
    from rasa.validator import Validator  # noqa: PLC0415  (heavy)

    expected = {
        "Misaligned entity annotation",  # facts are found in the text, not on token borders
        "Slot auto-fill has been removed",  # Rasa says so of every slot named like an entity
        *(f"The intent '{intent}' is listed in the domain file, but" for intent in untrained),
    }
    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.WARNING:
                heard.append(record.getMessage())

    listener = Listener()
    logging.getLogger("rasa").addHandler(listener)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        importer = TrainingDataImporter.load_from_config(
            str(root / "config.yml"),
            str(root / "domain.yml"),
            [str(root / "data" / "nlu"), str(root / "data" / "stories")],
        )
        validator = Validator.from_importer(importer)
        checks = {
            "domain": validator.verify_domain_validity(),
            "form slots": validator.verify_form_slots(),
            "slot mappings": validator.verify_slot_mappings(),
            "forms in rules": validator.verify_forms_in_stories_rules(),
            "actions in rules": validator.verify_actions_in_stories_rules(),
            "intents in rules": validator.verify_intents_in_stories(ignore_warnings=False),
            "story structure": validator.verify_story_structure(ignore_warnings=False),
        }
    logging.getLogger("rasa").removeHandler(listener)
    said = heard + [str(item.message) for item in caught if issubclass(item.category, UserWarning)]
    return [f"Rasa: {name} is not valid" for name, well in checks.items() if not well] + [
        f"Rasa: {text.splitlines()[0]}" for text in said if not any(known in text for known in expected)
    ]


def main() -> None:
    """Check everything; exit code 1 with the findings, or 0 with a count."""
    root = Path(__file__).parents[1]
    intents = yaml.safe_load((root / "data/knowledge/intents.yml").read_text(encoding="utf-8"))["intents"]
    domain = yaml.safe_load((root / "domain.yml").read_text(encoding="utf-8"))
    found = sentences(root / "data" / "nlu")
    findings = check_sentences(found, intents, set(domain["entities"]))
    findings += [
        f"{intent}: in domain.yml but not in data/knowledge/intents.yml, or the other way round"
        for intent in sorted(set(domain["intents"]) ^ set(intents) - {"nlu_fallback"})
    ]
    findings += check_rasa(root, {name for name, info in intents.items() if info.get("trained") is False})
    for finding in findings:
        print(finding, file=sys.stderr)
    if findings:
        sys.exit(1)
    print(f"{sum(map(len, found.values()))} sentences, {len(found)} intents: all well")


if __name__ == "__main__":
    main()
