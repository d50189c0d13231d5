"""Upload: the one file of a multipart form, handed on piece by piece while it arrives.

A form parser would first put the whole file, as it is, into a temporary folder; what members send is
encrypted before it touches a disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from bot.api.errors import BadForm

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FIELD = b"file"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in."""

    filename: str
    declared_type: str | None
    stream: AsyncIterator[bytes]


async def file_of(request: Request) -> Upload:
    """The form's first field named ``file`` that is a file; its bytes are read as ``stream`` is.

    Raises BadForm for what is no such form, at once or (when it is cut short) from the stream.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise BadForm("body")
    form = _Form(request.stream(), boundary)
    while not form.file_begun:
        if not await form.read_on():
            raise BadForm("file")
    return Upload(form.filename, form.declared_type, form.pieces())


class _Form:
    """A multipart body while it arrives; everything outside the wanted field is passed over."""

    def __init__(self, body: AsyncIterator[bytes], boundary: bytes) -> None:
        self._body = body
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._in_file = False
        self._file_ended = False
        self._pieces: deque[bytes] = deque()
        self.file_begun = False
        self.filename = ""
        self.declared_type: str | None = None
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._part_begins,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._part_ends,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError as error:
            raise BadForm("body") from error

    async def read_on(self) -> bool:
        """Take in the next piece of the body; False at its end. Raises BadForm."""
        piece = await anext(self._body, None)
        if piece is None:
            return False
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise BadForm("body") from error
        return True

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file's bytes; what follows it in the body is read and left alone. Raises BadForm."""
        while True:
            while self._pieces:
                yield self._pieces.popleft()
            if not await self.read_on():
                break
        if not self._file_ended:
            raise BadForm("file")

    def _part_begins(self) -> None:
        self._headers.clear()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        if self.file_begun or options.get(b"name") != FIELD or b"filename" not in options:
            return
        self.file_begun = self._in_file = True
        self.filename = options[b"filename"].decode("utf-8", "replace")
        declared = self._headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip()
        self.declared_type = declared or None

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._pieces.append(data[start:end])

    def _part_ends(self) -> None:
        self._file_ended = self._file_ended or self._in_file
        self._in_file = False
