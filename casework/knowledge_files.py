"""Knowledge files: reading YAML strictly, so that a mistake is found at start, not by a member."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from casework.errors import KnowledgeError

try:
    from yaml import CSafeLoader as _Loader  # reads the same, eight times as fast
except ImportError:
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]


def read_knowledge(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; raises KnowledgeError for no file, bad YAML, or a repeated key."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506  # a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"{path.name}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise KnowledgeError(f"{path.name}: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise KnowledgeError(f"{path.name}: must be a mapping")
    return content


class Entry:
    """One entry of a knowledge file while it is read; its complaints name file and entry."""

    def __init__(self, file: str, name: str, content: object) -> None:
        """Raises KnowledgeError when the content is not a mapping."""
        self.file = file
        self.name = name
        if not isinstance(content, dict):
            raise self.error("must be a mapping")
        self._content = content
        self._seen: set[str] = set()

    def error(self, problem: str) -> KnowledgeError:
        """A complaint about this entry, to be raised."""
        return KnowledgeError(f"{self.file}: {self.name}: {problem}")

    def has(self, field: str) -> bool:
        """Whether the entry has the field, with something in it."""
        return self._content.get(field) is not None

    def text(self, field: str) -> str:
        """A required text without blanks around it; raises KnowledgeError when missing or empty."""
        value = self.raw(field)
        if not isinstance(value, str) or not value.strip():
            raise self.error(f"{field} must be a text")
        return value.strip()

    def optional_text(self, field: str) -> str | None:
        """A text, or None when the field is absent; raises KnowledgeError when it is something else."""
        if self.has(field):
            return self.text(field)
        self._seen.add(field)
        return None

    def texts(self, field: str) -> tuple[str, ...]:
        """A list of texts, empty when the field is absent."""
        value = self.raw(field)
        if value is None:
            return ()
        if not isinstance(value, list) or any(not isinstance(v, str) or not v.strip() for v in value):
            raise self.error(f"{field} must be a list of texts")
        return tuple(item.strip() for item in value)

    def texts_by_key(self, field: str) -> dict[str, str]:
        """A mapping of keys to texts, empty when the field is absent."""
        value = self.raw(field)
        if value is None:
            return {}
        texts = value.values() if isinstance(value, dict) else [None]
        if any(not isinstance(text, str) or not text.strip() for text in texts):
            raise self.error(f"{field} must be texts by key")
        return {str(key): text.strip() for key, text in value.items()}

    def choice(self, field: str, allowed: tuple[str, ...]) -> str:
        """A text that must be one of the allowed ones."""
        value = self.text(field)
        if value not in allowed:
            raise self.error(f"{field} must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def flag(self, field: str, *, default: bool) -> bool:
        """A true or false, or the default when absent."""
        value = self.raw(field)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.error(f"{field} must be true or false")
        return value

    def day(self, field: str) -> date:
        """A required date; raises KnowledgeError when it is missing or not YYYY-MM-DD."""
        value = self.raw(field)
        if type(value) is not date:
            raise self.error(f"{field} must be a date (YYYY-MM-DD)")
        return value

    def optional_day(self, field: str) -> date | None:
        """A date, or None when the field is absent."""
        if self.has(field):
            return self.day(field)
        self._seen.add(field)
        return None

    def number(self, field: str) -> float:
        """A required number."""
        value = self.raw(field)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.error(f"{field} must be a number")
        return float(value)

    def entries(self, field: str) -> tuple[Entry, ...]:
        """A list of mappings as entries of their own, empty when the field is absent."""
        value = self.raw(field)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self.error(f"{field} must be a list")
        return tuple(
            Entry(self.file, f"{self.name}.{field}[{index}]", item) for index, item in enumerate(value, 1)
        )

    def named_entries(self, field: str) -> dict[str, Entry]:
        """A mapping of names to mappings, each as an entry; raises KnowledgeError when absent or empty."""
        value = self.raw(field)
        if not isinstance(value, dict) or not value:
            raise self.error(f"{field} must be a mapping with something in it")
        return {str(name): Entry(self.file, f"{field}.{name}", item) for name, item in value.items()}

    def entry(self, field: str) -> Entry:
        """A required mapping as an entry of its own."""
        return Entry(self.file, f"{self.name}.{field}", self.raw(field))

    def raw(self, field: str) -> Any:
        """Whatever the field holds, None when it is absent."""
        self._seen.add(field)
        return self._content.get(field)

    def names(self) -> tuple[str, ...]:
        """The names of all fields, as written."""
        return tuple(str(name) for name in self._content)

    def done(self) -> None:
        """Raises KnowledgeError for a field nobody asked for (a misspelt name is never silently ignored)."""
        unknown = [name for name in self.names() if name not in self._seen]
        if unknown:
            raise self.error(f"unknown field {', '.join(sorted(unknown))}")


class _StrictLoader(_Loader):
    """YAML's safe loader, refusing a key written twice (the second would silently win)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is written twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)
