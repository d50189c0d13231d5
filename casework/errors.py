"""The one error tree of casework.

``Refusal`` is expected: it becomes a friendly sentence or a 4xx, and its ``code`` picks the wording
in ``data/knowledge/wording.yml``. Every other ``CaseworkError`` is a fault: it is logged with a
reference number and the member is told that number and how to reach a person.
"""

from __future__ import annotations


class CaseworkError(Exception):
    """Anything casework raises on purpose."""


class Refusal(CaseworkError):
    """Something the caller may not do, or cannot do like this; ``code`` names the wording."""

    code = "refused"

    def __init__(self, detail: str = "", **values: object) -> None:
        super().__init__(detail or self.code)
        self.values = values


class NotFound(Refusal):
    """No such record, or not one this caller may know about (the two are never told apart)."""

    code = "not_found"


class NotAllowed(Refusal):
    """The caller is known but may not do this."""

    code = "not_allowed"


class BadCaseNumber(Refusal):
    """Not the shape of a case number, or its check digit is wrong."""

    code = "bad_case_number"


class TransitionRefused(Refusal):
    """The case's life does not allow this deed in its present state."""

    code = "transition_refused"


class BadInput(Refusal):
    """The input cannot be used; ``values`` says which limit it broke."""

    code = "bad_input"


class AttachmentRefused(BadInput):
    """A file of a type, size or number we do not take."""

    code = "attachment_refused"


class StaleEpoch(CaseworkError):
    """The conversation changed owner while this reply was being made; it must not be sent."""


class ConfigurationError(CaseworkError):
    """The installation is wrong (missing key, unreadable knowledge file); says what to do."""


class KnowledgeError(ConfigurationError):
    """A knowledge file breaks its rules; names the file and the entry."""
