"""Reading as a whole: every file a row, no file the end."""

from __future__ import annotations

import gzip
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import uid

import miqanet.reading
from miqanet.image import MRImage
from miqanet.reading import ReadError, list_files, read_file, read_images, streams

Phantom = Callable[..., NDArray[np.uint16]]
Write = Callable[..., Path]


@pytest.fixture
def mixture(tmp_path: Path, phantom: Phantom, write_dicom: Write) -> Path:
    """Return a folder of good images and of everything that is none."""
    folder = tmp_path / "mixture"
    folder.mkdir()
    write_dicom(folder / "a-good", phantom())
    (folder / "b-empty.dcm").touch()
    (folder / "c-text.dcm").write_text("not an image")
    (folder / "d-report.pdf").write_bytes(b"%PDF-1.4 ...")
    write_dicom(folder / "e-ct", phantom(), Modality="CT")
    np.save(folder / "f-nan.npy", np.full((9, 9), np.nan))
    np.save(folder / "g-constant.npy", np.ones((9, 9)))
    Image.fromarray(phantom()).save(folder / "h-wrong-extension.dcm", "PNG")
    (folder / "i-sidecar.json").write_text("{}")
    (folder / "j.zip.gz").write_bytes(gzip.compress(b"PK\x03\x04"))
    write_dicom(folder / "k-jpegls", phantom(), uid.JPEGLSLossless)
    return folder


def test_every_file_gives_a_row_in_order(mixture: Path) -> None:
    rows = list(read_images([mixture]))
    assert [row.path for row in rows] == list(list_files([mixture]))
    reasons = {Path(row.path).name: row.reason if isinstance(row, ReadError) else "image" for row in rows}
    assert reasons == {
        "a-good": "image",
        "b-empty.dcm": "empty file: zero bytes",
        "c-text.dcm": "no image: text, nothing of what the extension .dcm promises",
        "d-report.pdf": "skipped: PDF document, no image that is read",
        "e-ct": "skipped: modality is CT (MR Image Storage), not MR",
        "f-nan.npy": "pixels are not finite (NaN or infinity)",
        "g-constant.npy": "constant pixels: every one is 1",
        "h-wrong-extension.dcm": "image",
        "i-sidecar.json": "skipped: text, no image",
        "j.zip.gz": "skipped: gzip archive of something other than NIfTI or DICOM",
        "k-jpegls": "image",
    }


def test_order_is_the_same_every_time(mixture: Path) -> None:
    first, second = ([row.path for row in read_images([mixture])] for _ in range(2))
    assert first == second


def test_listed_files_are_read_as_they_are(mixture: Path) -> None:
    listed = [found for found in list_files([mixture]) if isinstance(found, str)]
    assert [row.path for row in read_images(listed)] == listed


def test_file_without_permission_is_one_error(mixture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, _: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    # Tests may run as root, whom no permission stops.
    monkeypatch.setattr(streams, "_open_without_waiting", refuse)
    assert list(read_file(mixture / "a-good")) == [
        ReadError(str(mixture / "a-good"), 0, "no permission to read")
    ]


def test_file_that_vanished_is_one_error(tmp_path: Path) -> None:
    assert list(read_file(tmp_path / "gone")) == [
        ReadError(str(tmp_path / "gone"), 0, "no such file or folder")
    ]


def test_threads_read_the_same(mixture: Path) -> None:
    def summary() -> list[tuple[str, float | str]]:
        return [
            (row.path, row.reason if isinstance(row, ReadError) else float(row.pixels.sum()))
            for row in read_images([mixture])
        ]

    alone = summary()
    together: list[Any] = []
    threads = [
        threading.Thread(target=lambda: together.extend(summary() for _ in range(3))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [alone] * 9


def test_memory_does_not_grow_with_the_number_of_files(
    tmp_path: Path, phantom: Phantom, write_dicom: Write
) -> None:
    original = write_dicom(tmp_path / "0", phantom(128, 128))
    for number in range(1, 150):
        (tmp_path / str(number)).write_bytes(original.read_bytes())

    def peak(count: int) -> int:
        tracemalloc.start()
        files = [tmp_path / str(number) for number in range(count)]
        assert sum(isinstance(row, MRImage) for row in read_images(files)) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(150) < peak(15) + 200_000


def test_exports_are_there() -> None:
    assert sorted(miqanet.reading.__all__) == miqanet.reading.__all__
    assert all(hasattr(miqanet.reading, name) for name in miqanet.reading.__all__)
