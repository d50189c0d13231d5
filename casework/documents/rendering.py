"""Rendering: a filled draft as a .docx file."""

from __future__ import annotations

import io
import zipfile
from functools import cache

from docxtpl import DocxTemplate

from casework.documents.draft import find
from casework.documents.model import Context
from casework.documents.words import ROOT, book

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def to_docx(name: str, context: Context) -> bytes:
    """The draft as a Word file; the same context gives the same bytes. Raises NotFound for no such document.

    Takes some tenths of a second of the processor: call it in a thread.
    """
    find(book(), name)
    template = DocxTemplate(io.BytesIO(_template(name)))
    template.render(context, autoescape=True)
    made = io.BytesIO()
    template.save(made)
    return settled(made.getvalue())


def settled(docx: bytes) -> bytes:
    """The same file without the time it was made at."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            part = zipfile.ZipInfo(name, _ZIP_TIME)
            part.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(part, old.read(name))
    return made.getvalue()


@cache
def _template(name: str) -> bytes:
    return (ROOT / f"{name}.docx").read_bytes()
