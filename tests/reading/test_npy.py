"""Arrays: which axes are frames, and nothing unpickled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from miqanet.image import MRImage
from miqanet.reading import ReadError, read_file

Phantom = Callable[..., NDArray[np.uint16]]


def save(path: Path, array: NDArray[Any]) -> Path:
    np.save(path, array)
    return path.rename(path.with_suffix(""))


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "i4", "f4", "f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_image_is_read_exactly(order: Any, dtype: str, tmp_path: Path, phantom: Phantom) -> None:
    array = np.array(phantom() >> 4, dtype, order=order)
    (row,) = read_file(save(tmp_path / "a.npy", array))
    assert isinstance(row, MRImage)
    np.testing.assert_array_equal(row.pixels, array)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(6, 9, 11), (2, 3, 9, 11), (1, 6, 1, 9, 11)])
def test_leading_axes_are_frames(shape: tuple[int, ...], order: Any, tmp_path: Path) -> None:
    array = np.random.default_rng(0).random(shape).astype(np.float32)
    rows = list(read_file(save(tmp_path / "a.npy", np.asarray(array, order=order))))
    assert [row.frame for row in rows] == list(range(6))
    np.testing.assert_array_equal(
        [row.pixels for row in rows if isinstance(row, MRImage)], array.reshape(6, 9, 11)
    )


def test_color_is_skipped_and_gray_in_three_channels_read(tmp_path: Path, phantom: Phantom) -> None:
    gray = (phantom() >> 4).astype(np.uint8)
    (row,) = read_file(save(tmp_path / "a.npy", np.dstack([gray] * 3)))
    assert isinstance(row, MRImage)
    (row,) = read_file(save(tmp_path / "b.npy", np.dstack([gray, gray // 2, gray])))
    assert isinstance(row, ReadError)
    assert row.reason.startswith("skipped: color")


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    np.save(tmp_path / "a.npy", np.array([[Trap()]], object), allow_pickle=True)
    (row,) = read_file(tmp_path / "a.npy")
    assert isinstance(row, ReadError)
    assert row.reason.startswith("skipped: array of something other than numbers")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "shape", ["(65535, 65535)", "(9999999, 512, 512)", "(0, 5)", "(5,)", "()", "(-3, -5)"]
)
def test_absurd_shapes_are_one_error(shape: str, tmp_path: Path) -> None:
    header = f"{{'descr': '<u2', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    (tmp_path / "a").write_bytes(b"\x93NUMPY\x01\x00\x76\x00" + header.encode() + bytes(range(100)))
    (row,) = read_file(tmp_path / "a")
    assert isinstance(row, ReadError)


def test_truncated_array_gives_its_good_frames_and_one_error(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npy", np.random.default_rng(0).random((4, 9, 11)))
    path.write_bytes(path.read_bytes()[:-1200])
    *good, bad = read_file(path)
    assert len(good) == 2
    assert isinstance(bad, ReadError)
    assert "truncated" in bad.reason


def test_a_span_beyond_single_precision_is_an_error(tmp_path: Path, phantom: Phantom) -> None:
    array = np.where(phantom() > np.median(phantom()), 3e38, -3e38).astype(np.float32)
    (row,) = read_file(save(tmp_path / "a.npy", array))
    assert isinstance(row, ReadError)
    assert "single precision" in row.reason
