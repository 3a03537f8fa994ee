"""Pictures of 8 and 16 bits, gray and color, whole and damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from miqanet.image import MRImage
from miqanet.reading import ReadError, read_file

Phantom = Callable[..., NDArray[np.uint16]]


def only(path: Path) -> MRImage | ReadError:
    (row,) = read_file(path)
    return row


def pixels(path: Path) -> NDArray[Any]:
    row = only(path)
    assert isinstance(row, MRImage), row
    return row.pixels


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_eight_bits_are_read_exactly_whatever_the_extension(
    kind: str, tmp_path: Path, phantom: Phantom
) -> None:
    gray = (phantom() >> 4).astype(np.uint8)
    Image.fromarray(gray).save(tmp_path / "a.jpg", kind)
    np.testing.assert_array_equal(pixels(tmp_path / "a.jpg"), gray)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_read_exactly(kind: str, tmp_path: Path, phantom: Phantom) -> None:
    Image.fromarray(phantom() * np.uint16(15)).save(tmp_path / "a", kind)
    np.testing.assert_array_equal(pixels(tmp_path / "a"), phantom() * 15)


def test_jpeg_is_close(tmp_path: Path, phantom: Phantom) -> None:
    gray = (phantom() >> 4).astype(np.uint8)
    Image.fromarray(gray).save(tmp_path / "a", "JPEG", quality=90)
    assert np.abs(pixels(tmp_path / "a") - gray).mean() < 4


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "JPEG"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_gray_picture_stored_as_color_is_read(mode: str, kind: str, tmp_path: Path, phantom: Phantom) -> None:
    gray = Image.fromarray((phantom() >> 4).astype(np.uint8))
    try:
        gray.convert(mode).save(tmp_path / "a", kind)
    except OSError:
        pytest.skip(f"{kind} has no {mode}")
    assert np.abs(pixels(tmp_path / "a") - np.asarray(gray)).mean() < 4


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "JPEG"])
def test_color_picture_is_skipped(kind: str, tmp_path: Path, phantom: Phantom) -> None:
    gray = (phantom() >> 4).astype(np.uint8)
    Image.fromarray(np.dstack([gray, gray // 2, gray])).save(tmp_path / "a", kind)
    assert only(tmp_path / "a") == ReadError(
        str(tmp_path / "a"), 0, "skipped: color picture, MR images are gray"
    )


def test_float_picture_is_read(tmp_path: Path, phantom: Phantom) -> None:
    Image.fromarray(phantom() / np.float32(7)).save(tmp_path / "a", "TIFF")
    np.testing.assert_array_equal(pixels(tmp_path / "a"), phantom() / np.float32(7))


@pytest.mark.parametrize("sixteen", [False, True])
def test_tiff_with_white_zero_is_turned_round(sixteen: bool, tmp_path: Path, phantom: Phantom) -> None:
    gray = phantom() if sixteen else (phantom() >> 4).astype(np.uint8)
    # Pillow inverts what it writes of 8 bits and not what it writes of 16.
    stored = 65535 - gray if sixteen else gray
    Image.fromarray(stored).save(tmp_path / "a", "TIFF", tiffinfo={262: 0})
    np.testing.assert_array_equal(pixels(tmp_path / "a"), gray)


def test_pages_of_a_tiff_are_frames(tmp_path: Path, phantom: Phantom) -> None:
    first, *others = [Image.fromarray(phantom(seed=k)) for k in range(4)]
    first.save(tmp_path / "a", "TIFF", save_all=True, append_images=others)
    rows = list(read_file(tmp_path / "a"))
    assert [row.frame for row in rows] == [0, 1, 2, 3]
    for row in rows:
        assert isinstance(row, MRImage)
        np.testing.assert_array_equal(row.pixels, phantom(seed=row.frame))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "JPEG"])
def test_truncated_picture_is_one_error(kind: str, tmp_path: Path, phantom: Phantom) -> None:
    Image.fromarray((phantom() >> 4).astype(np.uint8)).save(tmp_path / "a", kind)
    data = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(data[: len(data) // 2])
    row = only(tmp_path / "a")
    assert isinstance(row, ReadError)
    assert not row.reason.startswith("skipped")


@pytest.mark.parametrize("side", [8193, 10_000, 15_000])
def test_bomb_is_refused_before_it_is_unpacked(side: int, tmp_path: Path) -> None:
    Image.new("1", (side, side)).save(tmp_path / "a", "PNG")
    row = only(tmp_path / "a")
    assert isinstance(row, ReadError)
    assert "67,108,864" in row.reason
