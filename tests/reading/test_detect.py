"""Formats told by content, and what is said of the rest."""

from __future__ import annotations

import pytest

from miqanet.reading.detect import HEAD_BYTES, Format, describe, detect


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (bytes(128) + b"DICM", Format.DICOM),
        (b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100\x08\x00\x08\x00CS\x16\x00" + b"ORIGINAL", Format.DICOM),
        (b"\x08\x00\x05\x00\x0a\x00\x00\x00ISO_IR 100\x08\x00\x08\x00\x16\x00\x00\x00ORIGINAL", Format.DICOM),
        (bytes(344) + b"n+1\0", Format.NIFTI),
        (b"\x1c\x02\0\0n+2\0\r\n\x1a\n", Format.NIFTI),
        (bytes(344) + b"ni1\0", Format.NIFTI_PAIR),
        (b"\x93NUMPY\x01\x00", Format.NPY),
        (b"\x89PNG\r\n\x1a\n", Format.PNG),
        (b"II*\0", Format.TIFF),
        (b"MM\0*", Format.TIFF),
        (b"\xff\xd8\xff\xe0", Format.JPEG),
        (b"BM" + bytes(12) + b"\x28\0\0\0", Format.BMP),
        (b"\x1f\x8b\x08", Format.GZIP),
        (b"BMW is a make of car", None),
        (b"", None),
        (bytes(HEAD_BYTES), None),
    ],
)
def test_content_tells_the_format(head: bytes, kind: Format | None) -> None:
    assert detect(head) is kind


@pytest.mark.parametrize(
    ("head", "name", "reason"),
    [
        (b"%PDF-1.7", "report.pdf", "skipped: PDF document"),
        (b'{"EchoTime": 0.03}', "bold.json", "skipped: text"),
        ("Größe".encode() * 100, "notes", "skipped: text"),
        (b"\x00\x01\x02\xff", "data.bin", "skipped: unknown content"),
        (b"hello", "image.dcm", "no image: text, nothing of what the extension .dcm promises"),
    ],
)
def test_other_content_is_described(head: bytes, name: str, reason: str) -> None:
    assert describe(head[:HEAD_BYTES], name).startswith(reason)
