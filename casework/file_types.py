"""File types: what a file really is, by its bytes; the name and the declared type only have to agree."""

from __future__ import annotations

import re
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import IO

HEAD = 64
"""Bytes of a file's beginning that are looked at."""
MAX_FILENAME = 120
"""Characters of a kept file name."""

_ANY_TYPE = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_EXTENSION = re.compile(r"\.([A-Za-z][A-Za-z0-9]{1,4})$")
_PATH_AND_SHELL = re.compile(r'[<>:"|?*]')
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_HEIC = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})
_M4A = frozenset({b"M4A ", b"M4B "})
_MP4 = frozenset(
    {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"MSNV", b"M4V ",
     b"3gp4", b"3gp5", b"3gp6"}
)  # fmt: skip
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP_START = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class FileType:
    """File type: a kind of file we take, its extensions (the first is ours) and what it is declared as."""

    media_type: str
    extensions: tuple[str, ...]
    declared_as: frozenset[str]


def _type(media_type: str, extensions: str, *declared_as: str) -> FileType:
    return FileType(media_type, tuple(extensions.split()), frozenset({media_type, *declared_as}))


JPEG = _type("image/jpeg", "jpg jpeg jpe jfif", "image/jpg", "image/pjpeg")
PNG = _type("image/png", "png", "image/x-png")
WEBP = _type("image/webp", "webp")
HEIC = _type("image/heic", "heic heif", "image/heif", "image/heic-sequence", "image/heif-sequence")
PDF = _type("application/pdf", "pdf", "application/x-pdf")
DOCX = _type(_WORD, "docx", "application/zip")
XLSX = _type(_SHEET, "xlsx", "application/zip")
MP3 = _type("audio/mpeg", "mp3", "audio/mp3", "audio/x-mpeg", "audio/x-mp3")
OGG = _type("audio/ogg", "ogg oga opus", "application/ogg", "audio/opus", "audio/vorbis", "audio/x-opus+ogg")
AMR = _type("audio/amr", "amr awb", "audio/amr-wb", "audio/3gpp")
M4A = _type("audio/mp4", "m4a mp4 aac", "audio/x-m4a", "audio/m4a", "audio/aac", "video/mp4")
WAV = _type("audio/wav", "wav", "audio/x-wav", "audio/wave", "audio/vnd.wave")
MP4 = _type("video/mp4", "mp4 m4v 3gp", "video/x-m4v", "video/3gpp", "application/mp4")
TEXT = _type("text/plain", "txt")
TYPES = (JPEG, PNG, WEBP, HEIC, PDF, DOCX, XLSX, MP3, OGG, AMR, M4A, WAV, MP4, TEXT)

_BY_START: tuple[tuple[bytes, FileType], ...] = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"%PDF-", PDF),
    (b"ID3", MP3),
    (b"\xff\xfb", MP3),
    (b"\xff\xf3", MP3),
    (b"\xff\xf2", MP3),
    (b"\xff\xfa", MP3),
    (b"OggS", OGG),
    (b"#!AMR", AMR),
)


def type_by_start(head: bytes, declared: str) -> FileType | None:
    """The type a file's first 64 bytes show; None for office documents, texts and what we do not know.

    ``declared`` only tells sound from picture in an MP4 container, where the bytes do not.
    """
    for start, kind in _BY_START:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF":
        return {b"WEBP": WEBP, b"WAVE": WAV}.get(head[8:12])
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _HEIC:
            return HEIC
        if brand in _M4A or (brand in _MP4 and media_type(declared).startswith("audio/")):
            return M4A
        return MP4 if brand in _MP4 else None
    return None


def type_of_office_file(file: IO[bytes]) -> FileType | None:
    """Whether a ZIP archive is a Word or Excel document (without macros); None for any other archive."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return None
    if "[Content_Types].xml" not in names or any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    if "word/document.xml" in names:
        return DOCX
    return XLSX if "xl/workbook.xml" in names else None


def is_text_character(character: str) -> bool:
    """Whether a plain text may hold this character: no control characters but tab, line and page breaks."""
    return character in "\t\n\r\f" or unicodedata.category(character) != "Cc"


def media_type(declared: str | None) -> str:
    """A declared media type in lower case and without its parameters; empty for none."""
    return (declared or "").split(";", 1)[0].strip().lower()


def agrees(kind: FileType, declared: str | None, filename: str) -> bool:
    """Whether what a file was called and declared as fits what it is; saying nothing fits everything."""
    said = media_type(declared)
    if said not in _ANY_TYPE and said not in kind.declared_as:
        return False
    extension = _EXTENSION.search(filename.strip())
    return extension is None or extension[1].lower() in kind.extensions


def clean_filename(filename: str, kind: FileType) -> str:
    """A name that is safe to show and to save: no folders, no invisible characters, at most 120 characters.

    It always ends in an extension of the file's real type.
    """
    name = unicodedata.normalize("NFC", filename.encode("utf-8", "replace").decode("utf-8"))
    name = re.split(r"[/\\]", name)[-1]
    visible = "".join(one for one in name if unicodedata.category(one) not in _INVISIBLE)
    name = _PATH_AND_SHELL.sub("_", visible)
    name = " ".join(name.split()).rstrip(". ")
    extension = _EXTENSION.search(name)
    if extension is not None and extension[1].lower() in kind.extensions:
        stem, ending = name[: extension.start()], extension[0]
    else:
        stem, ending = name, f".{kind.extensions[0]}"
    stem = stem.lstrip(". ")[: MAX_FILENAME - len(ending)].rstrip(". ")
    return (stem or "file") + ending
