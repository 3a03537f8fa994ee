from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from miqanet.artifacts.phantom import phantom
from miqanet.database.clean import CleanImage, clean_files, read_clean, shows_body
from miqanet.database.manifest import read_manifest
from miqanet.reading import ReadError


def read(folder: Path) -> list[CleanImage | ReadError]:
    manifest = read_manifest(folder)
    files, errors = clean_files(folder, manifest)
    return [*errors, *read_clean(folder, files, manifest)]


def test_manifest_tells_subject_dataset_and_contrast(clean: Path) -> None:
    images = {image.origin: image for image in read(clean) if isinstance(image, CleanImage)}
    assert set(images) == {
        *(f"site-a/image_{n}.png" for n in range(4)),
        "site-b/image_4.png",
        "site-b/image_5.png",
    }
    image = images["site-b/image_4.png"]
    assert (image.dataset, image.subject, image.body_part) == ("site-b", "subject_2", "knee axial")
    assert image.contrast == "T1w"


def test_without_manifest_folder_is_dataset_and_name_is_subject(clean: Path) -> None:
    (clean / "MANIFEST.csv").unlink()
    (clean / "site-b" / "image_5.png").rename(clean / "sub-07_T1w.png")
    images = {image.origin: image for image in read(clean) if isinstance(image, CleanImage)}
    assert (images["site-a/image_0.png"].dataset, images["site-a/image_0.png"].subject) == (
        "site-a",
        "image_0",
    )
    assert (images["sub-07_T1w.png"].dataset, images["sub-07_T1w.png"].subject) == ("clean", "sub-07")
    assert images["sub-07_T1w.png"].body_part == ""


def test_end_slices_of_a_volume_are_left_out(tmp_path: Path) -> None:
    volume = np.zeros((80, 80, 5), np.float32)
    for index in (1, 2, 3):
        volume[..., index] = 1000 * phantom((80, 80), seed=index)
    volume[38:42, 38:42, 0] = 900
    nibabel.save(nibabel.Nifti1Image(volume, np.diag([1, 1, 4, 1])), tmp_path / "head.nii.gz")
    frames = [image.frame for image in read(tmp_path) if isinstance(image, CleanImage)]
    assert frames == [1, 2, 3]


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (error,) = read(tmp_path)
    assert isinstance(error, ReadError)
    assert error.path.endswith("broken.png")


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (phantom((96, 96)), True),
        (phantom((96, 40)), False),
        (np.zeros((96, 96), np.float32), False),
        (np.full((96, 96), 7, np.float32), False),
        (np.pad(phantom((64, 64)), 160), False),
    ],
)
def test_only_slices_that_show_a_body_are_kept(pixels: np.ndarray, expected: bool) -> None:
    assert shows_body(pixels.astype(np.float32)) is expected
