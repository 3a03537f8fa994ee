"""The parts of a multipart/related body (RFC 2387; DICOM PS3.18, 8.6.1) as files, one after another as they come."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

DICOM: Final = "application/dicom"
MOST_PARTS: Final = 5_000
_MOST_HEADER_BYTES: Final = 8_192
_MOST_PREAMBLE_BYTES: Final = 8_192
_IN_MEMORY: Final = 4_000_000
"""Bytes of a part beyond which it is kept in a file meanwhile."""


class MultipartError(ValueError):
    """The body is not what its header says."""


class MediaTypeError(ValueError):
    """The body is of a media type that is not taken."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is whole; closing its content deletes it."""

    media_type: str
    content: BinaryIO


def unnamed_file(folder: Path) -> BinaryIO:
    """Return a file for what comes in, in memory while it is small, else in a folder; closing it deletes it."""
    return cast("BinaryIO", SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(folder)))


class PartReader:
    """Cuts a body into its parts.

    Args:
        content_type: of the request.
        folder: where large parts are kept meanwhile, under no name.

    Raises:
        MediaTypeError: the body is no multipart/related one of DICOM files.
        MultipartError: no boundary is stated.
    """

    def __init__(self, content_type: str, folder: Path) -> None:
        media_type, options = parse_options_header(content_type)
        inner = options.get(b"type", DICOM.encode()).lower()
        if media_type != b"multipart/related" or inner != DICOM.encode():
            raise MediaTypeError(f"send multipart/related; type={DICOM}")
        boundary = options.get(b"boundary", b"")
        if not 0 < len(boundary) <= 70:
            raise MultipartError("the content type states no boundary")
        self._folder = folder
        self._first = b"\r\n--" + boundary
        self._preamble: bytes | None = b"\r\n"
        self._count = 0
        self._done: list[Part] = []
        self._content: BinaryIO | None = None
        self._field, self._value = b"", b""
        self._media_type = DICOM
        self._ended = False
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._add_to_field,
            "on_header_value": self._add_to_value,
            "on_header_end": self._end_header,
            "on_part_data": self._add_data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }
        self._parser = MultipartParser(boundary, callbacks)

    def feed(self, data: bytes) -> list[Part]:
        """Return the parts that become whole by more of the body.

        Raises:
            MultipartError: the body is malformed.
        """
        if self._preamble is not None:
            data = self._after_preamble(self._preamble + data)
        try:
            self._parser.write(data)
        except FormParserError:
            raise MultipartError("the body is no multipart one with that boundary") from None
        done, self._done = self._done, []
        return done

    def finish(self) -> None:
        """Make sure that the body is whole.

        Raises:
            MultipartError: its end is missing.
        """
        if not self._ended:
            raise MultipartError("the body ends before its last boundary")

    def close(self) -> None:
        """Delete what was kept of parts that nobody got."""
        for part in self._done:
            part.content.close()
        if self._content is not None:
            self._content.close()

    def _after_preamble(self, before: bytes) -> bytes:
        """Return what comes with the first boundary; text for people may stand before it (RFC 2046, 5.1.1)."""
        start = before.find(self._first)
        if start < 0:
            if len(before) > _MOST_PREAMBLE_BYTES:
                raise MultipartError("the body does not begin with its boundary")
            self._preamble = before
            return b""
        self._preamble = None
        return before[start + len(b"\r\n") :]

    def _begin(self) -> None:
        self._count += 1
        if self._count > MOST_PARTS:
            raise MultipartError(f"the body has more than {MOST_PARTS:,} parts")
        self._media_type = DICOM
        self._content = unnamed_file(self._folder)

    def _add_to_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]
        self._limit_header()

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._limit_header()

    def _limit_header(self) -> None:
        if len(self._field) + len(self._value) > _MOST_HEADER_BYTES:
            raise MultipartError("a part has a header that is too long")

    def _end_header(self) -> None:
        if self._field.lower() == b"content-type":
            self._media_type = parse_options_header(self._value)[0].decode("latin-1")
        self._field, self._value = b"", b""

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._content is not None:
            self._content.write(data[start:end])

    def _end(self) -> None:
        if self._content is not None:
            self._content.seek(0)
            self._done.append(Part(self._media_type, self._content))
            self._content = None

    def _finish(self) -> None:
        self._ended = True
