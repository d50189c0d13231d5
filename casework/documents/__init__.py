"""Documents: what is drafted from a claim sheet for a lawyer to check, as .docx and as a printable page."""

from casework.documents.draft import draft_context, names, suitable
from casework.documents.model import Context, DocumentKind, Person
from casework.documents.rendering import to_docx

__all__ = ["Context", "DocumentKind", "Person", "draft_context", "names", "suitable", "to_docx"]
