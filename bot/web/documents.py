"""Drafted documents as a page to read and print; the words are the .docx file's."""

from __future__ import annotations

from bot.web.pages import templates
from casework.documents import Context


def document_page(context: Context) -> str:
    """The printable page of a draft (``draft_context``): its mark heads every printed page."""
    return templates().get_template("document.html").render(draft=context)
