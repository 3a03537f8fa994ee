"""Tests of the images that a demonstration shows."""

from hashlib import sha256
from importlib import resources

import numpy as np
import pytest
from PIL import Image as Picture

from miqanet.artifacts import KINDS
from miqanet.artifacts.phantom import phantom
from miqanet.image import MRImage
from miqanet.screening.demo import Original, gather, spoil


@pytest.fixture
def original(tmp_path) -> Original:
    return Original(tmp_path / "head.nii.gz", "nibabel", MRImage(pixels=phantom(), path="head.nii.gz"))


def test_test_images_of_dependencies_are_copied(tmp_path):
    originals, left_out = gather(tmp_path)
    names = {original.path.name for original in originals}
    carried = {
        "examples_overlay.dcm": resources.files("pydicom") / "data/test_files/examples_overlay.dcm",
        "example4d.nii.gz": resources.files("nibabel") / "tests/data/example4d.nii.gz",
    }
    assert names == {name for name, file in carried.items() if file.is_file()}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert len(originals) + len(left_out) == 4


def test_files_without_a_picture_are_left_out_by_name(tmp_path):
    _, left_out = gather(tmp_path)
    assert any("0.dcm" in reason for reason in left_out)
    assert any("philips_mprage.dcm.gz" in reason for reason in left_out)


def test_packages_without_test_files_give_reasons_not_errors(tmp_path, monkeypatch):
    (tmp_path / "package").mkdir()
    (tmp_path / "images").mkdir()
    monkeypatch.setattr(resources, "files", lambda _: tmp_path / "package")
    originals, left_out = gather(tmp_path / "images")
    assert not originals
    assert len(left_out) == 4
    assert all("comes without" in reason for reason in left_out)


def test_every_artifact_spoils_one_copy(tmp_path, original):
    spoiled = list(spoil([original], tmp_path))
    assert tuple(copy.kind for copy in spoiled) == KINDS
    reference = original.image.pixels / original.image.pixels.max()
    for copy in spoiled:
        with Picture.open(copy.path) as picture:
            pixels = np.asarray(picture, np.float32) / 65535
        assert pixels.shape == reference.shape
        assert np.abs(pixels - reference).max() > 0.05, copy.kind


def test_originals_take_turns(tmp_path, original):
    other = Original(tmp_path / "belly.dcm", "pydicom", original.image)
    spoiled = list(spoil([original, other], tmp_path))
    assert {copy.original for copy in spoiled} == {original, other}


def test_same_seed_spoils_the_same_way(tmp_path, original):
    digests = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        copies = spoil([original], tmp_path / name)
        digests.append([sha256(copy.path.read_bytes()).hexdigest() for copy in copies])
    assert digests[0] == digests[1]
