from __future__ import annotations

import random

import pytest

from miqanet.hospital import rest_multipart
from miqanet.hospital.rest_multipart import DICOM, MediaTypeError, MultipartError, PartReader

CONTENT_TYPE = f'multipart/related; type="{DICOM}"; boundary=b'
CONTENTS = [b"first", b"", b"--b inside \r\n--", bytes(range(256)) * 100]
BODY = (
    b"".join(b"--b\r\nContent-Type: application/dicom\r\n\r\n%s\r\n" % content for content in CONTENTS)
    + b"--b--\r\n"
)


@pytest.fixture
def reader(tmp_path):
    readers = []

    def make(content_type=CONTENT_TYPE):
        readers.append(PartReader(content_type, tmp_path))
        return readers[-1]

    yield make
    for each in readers:
        each.close()


def contents(parts):
    read = []
    for part in parts:
        with part.content:
            read.append((part.media_type, part.content.read()))
    return read


@pytest.mark.parametrize("seed", range(20))
def test_parts_come_out_whole_however_the_body_is_cut(reader, seed):
    rng = random.Random(seed)  # noqa: S311
    cuts = sorted(rng.sample(range(len(BODY)), 8))
    parts = reader()
    read = []
    for start, end in zip([0, *cuts], [*cuts, len(BODY)], strict=True):
        read += contents(parts.feed(BODY[start:end]))
    parts.finish()
    assert read == [(DICOM, content) for content in CONTENTS]


def test_large_parts_are_kept_in_files_without_a_name(reader, tmp_path, monkeypatch):
    monkeypatch.setattr(rest_multipart, "_IN_MEMORY", 100)
    (*_, last) = parts = reader().feed(BODY)
    assert last.content.fileno() > 0
    assert list(tmp_path.iterdir()) == []
    contents(parts)


@pytest.mark.parametrize(
    ("content_type", "error"),
    [
        ("", MediaTypeError),
        ("application/dicom", MediaTypeError),
        ("multipart/form-data; boundary=b", MediaTypeError),
        ('multipart/related; type="application/dicom+json"; boundary=b', MediaTypeError),
        ("multipart/related", MultipartError),
        (f"multipart/related; boundary={'b' * 71}", MultipartError),
    ],
)
def test_other_bodies_are_refused(reader, content_type, error):
    with pytest.raises(error):
        reader(content_type)


@pytest.mark.parametrize(
    "body", [b"nonsense", b"--c\r\n\r\n\r\n--c--", b"--b\r\nno colon\r\n\r\n", b"--b\r\nA: " + b"x" * 10_000]
)
def test_malformed_bodies_are_refused(reader, body):
    parts = reader()

    def read():
        contents(parts.feed(body))
        parts.finish()

    with pytest.raises(MultipartError):
        read()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_stands_before_and_after_the_parts_is_passed_over(reader, size):
    body = b"This is a message in MIME.\r\n" + BODY + b"the end"
    parts = reader()
    read = [
        each
        for start in range(0, len(body), size)
        for each in contents(parts.feed(body[start : start + size]))
    ]
    parts.finish()
    assert read == [(DICOM, content) for content in CONTENTS]


def test_a_body_that_ends_too_early_is_refused(reader):
    parts = reader()
    contents(parts.feed(BODY[:-10]))
    with pytest.raises(MultipartError, match="before its last boundary"):
        parts.finish()


def test_there_is_a_limit_to_the_number_of_parts(reader, monkeypatch):
    monkeypatch.setattr(rest_multipart, "MOST_PARTS", 3)
    with pytest.raises(MultipartError, match="more than 3 parts"):
        reader().feed(BODY)


def test_a_header_without_an_end_does_not_fill_the_memory(reader):
    parts = reader()
    parts.feed(b"--b\r\nA: ")

    def go_on():
        for _ in range(20):
            parts.feed(b"x" * 1000)

    with pytest.raises(MultipartError):
        go_on()
