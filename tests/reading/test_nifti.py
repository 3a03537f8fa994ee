"""NIfTI volumes: which slices, how turned, how spaced, and how little memory."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from miqanet.image import MRImage
from miqanet.reading import ReadError, read_file


def volume(*shape: int, dtype: str = "<i2") -> NDArray[Any]:
    return np.random.default_rng(0).integers(0, 3000, shape).astype(dtype)


def write(
    path: Path, voxels: NDArray[Any], spacing: tuple[float, ...] = (), kind: type = nibabel.Nifti1Image
) -> Path:
    image = kind(voxels, np.eye(4), dtype=voxels.dtype)
    if spacing:
        image.header.set_zooms(spacing)
    nibabel.save(image, path)
    return path


def images(path: Path, **options: Any) -> list[MRImage]:
    rows = list(read_file(path, **options))
    assert all(isinstance(row, MRImage) for row in rows), rows
    return rows  # type: ignore[return-value]


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "no-extension"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_slices_lie_along_the_third_axis_where_spacings_are_equal(
    kind: type, name: str, tmp_path: Path
) -> None:
    voxels = volume(6, 7, 5)
    path = write(tmp_path / ("a.nii" if name == "no-extension" else name), voxels, (1, 1, 1), kind)
    path = path.rename(tmp_path / name)
    read = images(path)
    assert [image.frame for image in read] == list(range(5))
    for image in read:
        np.testing.assert_array_equal(image.pixels, np.rot90(voxels[:, :, image.frame]))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_lie_along_the_axis_of_the_largest_spacing(axis: int, packed: bool, tmp_path: Path) -> None:
    voxels = volume(6, 7, 5)
    spacing = [0.5, 0.75, 1.0]
    spacing[axis] = 4.0
    read = images(write(tmp_path / ("a.nii.gz" if packed else "a.nii"), voxels, tuple(spacing)))
    assert len(read) == voxels.shape[axis]
    in_plane = [s for k, s in enumerate(spacing) if k != axis]
    for image in read:
        np.testing.assert_array_equal(image.pixels, np.rot90(voxels.take(image.frame, axis)))
        assert image.spacing_mm == pytest.approx((in_plane[1], in_plane[0]))


def test_option_overrides_the_axis(tmp_path: Path) -> None:
    voxels = volume(6, 7, 5)
    read = images(write(tmp_path / "a.nii", voxels, (1, 1, 4)), slice_axis=0)
    assert len(read) == 6
    np.testing.assert_array_equal(read[3].pixels, np.rot90(voxels[3]))
    with pytest.raises(ValueError, match="slice_axis"):
        read_file(tmp_path / "a.nii", slice_axis=3)


@pytest.mark.parametrize("shape", [(6, 7, 5, 3), (6, 7, 5, 1, 3), (6, 7, 5, 1, 1, 3)])
@pytest.mark.parametrize("axis", [0, 2])
def test_frames_count_over_volumes_and_slices(axis: int, shape: tuple[int, ...], tmp_path: Path) -> None:
    voxels = volume(*shape)
    read = images(write(tmp_path / "a.nii.gz", voxels), slice_axis=axis)
    by_volume = voxels.reshape(6, 7, 5, 3)
    expected = [np.rot90(by_volume[..., v].take(k, axis)) for v in range(3) for k in range(shape[axis])]
    assert [image.frame for image in read] == list(range(len(expected)))
    for image, pixels in zip(read, expected, strict=True):
        np.testing.assert_array_equal(image.pixels, pixels)


def test_picture_with_one_voxel_along_an_axis_is_one_image(tmp_path: Path) -> None:
    assert len(images(write(tmp_path / "a.nii", volume(1, 7, 5)))) == 1
    assert len(images(write(tmp_path / "b.nii", volume(7, 5)))) == 1


@pytest.mark.parametrize("dtype", ["u1", "i1", "<i2", ">i2", "u2", "i4", "u4", "f4", ">f4", "f8", "i8"])
def test_data_types_and_orders_of_bytes(dtype: str, tmp_path: Path) -> None:
    voxels = (volume(6, 7, 2) % 120).astype(dtype)
    header = nibabel.Nifti1Header(endianness=">" if dtype.startswith(">") else "<")
    header.set_data_shape(voxels.shape)
    header.set_data_dtype(voxels.dtype)
    path = tmp_path / "a.nii"
    with path.open("wb") as file:
        nibabel.Nifti1Image(voxels, np.eye(4), header).to_stream(file)
    np.testing.assert_array_equal(images(path)[1].pixels, np.rot90(voxels[:, :, 1]))


def test_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(volume(6, 7, 2), np.eye(4))
    image.header.set_slope_inter(0.25, -3)
    nibabel.save(image, tmp_path / "a.nii")
    expected = nibabel.load(tmp_path / "a.nii").get_fdata()
    np.testing.assert_allclose(images(tmp_path / "a.nii")[0].pixels, np.rot90(expected[..., 0]), rtol=1e-6)


def test_complex_voxels_are_seen_by_magnitude(tmp_path: Path) -> None:
    voxels = (volume(6, 7, 2) + 1j * volume(6, 7, 2)[::-1]).astype("c8")
    read = images(write(tmp_path / "a.nii", voxels))
    np.testing.assert_allclose(read[0].pixels, np.rot90(np.abs(voxels[..., 0])))


def test_color_is_skipped(tmp_path: Path) -> None:
    voxels = np.zeros((6, 7, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    (row,) = read_file(write(tmp_path / "a.nii", voxels))
    assert isinstance(row, ReadError)
    assert row.reason.startswith("skipped: color")


def test_blank_slices_are_errors_among_images(tmp_path: Path) -> None:
    voxels = volume(6, 7, 4)
    voxels[:, :, [0, 2]] = 0
    rows = list(read_file(write(tmp_path / "a.nii", voxels)))
    assert [type(row) for row in rows] == [ReadError, MRImage, ReadError, MRImage]
    assert [row.frame for row in rows] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("value", "reason"), [(np.nan, "not finite"), (np.inf, "not finite"), (3, "constant")]
)
def test_volume_of_nothing_but_bad_slices_is_one_error(value: float, reason: str, tmp_path: Path) -> None:
    (row,) = read_file(write(tmp_path / "a.nii", np.full((6, 7, 5), value, np.float32)))
    assert isinstance(row, ReadError)
    assert reason in row.reason


@pytest.mark.parametrize("axis", [0, 2])
@pytest.mark.parametrize("packed", [False, True])
def test_truncated_series_gives_what_is_there_and_one_error(packed: bool, axis: int, tmp_path: Path) -> None:
    voxels = volume(20, 20, 4, 3)
    path = write(tmp_path / "a.nii", voxels)
    data = path.read_bytes()[: 352 + int(20 * 20 * 4 * 2 * 1.6)]
    path.write_bytes(gzip.compress(data) if packed else data)
    *good, bad = read_file(path, slice_axis=axis)
    assert len(good) == (6 if axis == 2 else 20)
    assert all(isinstance(row, MRImage) for row in good)
    assert isinstance(bad, ReadError)
    assert "truncated" in bad.reason
    assert bad.frame == len(good)


def test_cut_off_gzip_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", volume(20, 20, 10))
    path.write_bytes(path.read_bytes()[:2000])
    *good, bad = read_file(path)
    assert len(good) < 10
    assert isinstance(bad, ReadError)
    assert bad.reason.startswith(("truncated", "damaged"))


@pytest.mark.parametrize(
    "dimensions",
    [(3, 32767, 32767, 32767, 1), (3, 0, 5, 5, 1), (3, -4, 5, 5, 1), (4, 2, 2, 9999, 9999)],
    ids=str,
)
@pytest.mark.parametrize("axis", [0, 2])
@pytest.mark.parametrize("packed", [False, True])
def test_absurd_sizes_are_one_error(
    packed: bool, axis: int, dimensions: tuple[int, ...], tmp_path: Path
) -> None:
    data = bytearray(write(tmp_path / "a.nii", volume(6, 7, 5)).read_bytes())
    struct.pack_into("<5h", data, 40, *dimensions)
    path = tmp_path / "b"
    path.write_bytes(gzip.compress(data) if packed else data)
    (row,) = read_file(path, slice_axis=axis)
    assert isinstance(row, ReadError)


def test_bomb_takes_neither_memory_nor_rows(tmp_path: Path) -> None:
    data = bytearray(write(tmp_path / "a.nii", volume(6, 7, 5)).read_bytes()[:352])
    struct.pack_into("<4h", data, 40, 3, 256, 256, 400)
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(bytes(data) + bytes(256 * 256 * 2 * 400)))
    assert path.stat().st_size < 200_000
    tracemalloc.start()
    (row,) = read_file(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(row, ReadError)
    assert peak < 10_000_000


def test_memory_holds_a_slice_and_not_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", volume(128, 128, 20, 5))
    tracemalloc.start()
    count = sum(1 for _ in read_file(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 100
    assert peak < 1_000_000
