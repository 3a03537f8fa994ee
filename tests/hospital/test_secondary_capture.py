from __future__ import annotations

import numpy as np
import pytest
from pydicom import Dataset

from miqanet.artifacts.phantom import phantom
from miqanet.hospital.secondary_capture import secondary_capture
from miqanet.screening.thumbnails import SIDE, Picture, encode_thumbnail


@pytest.fixture
def picture():
    heat_map = np.full((16, 16), -1, np.float32)
    heat_map[:8, :8] = 8
    return Picture(encode_thumbnail(phantom((512, 512))), heat_map)


@pytest.fixture
def capture(series, result, picture, identity, device):
    """Return a maker of captures of the second frame of an image."""
    image = result("low", frame=2)

    def make(source: Dataset) -> Dataset:
        return secondary_capture(series(image, source=source), image.image, picture, identity, device)

    return make


def test_the_glow_lies_where_the_heat_map_is_warm(capture, patient, reread):
    pixels = reread(capture(patient)).pixel_array.astype(int)
    assert pixels.shape == (SIDE, SIDE, 3)
    color = pixels[..., 0] - pixels[..., 2]
    assert color[: SIDE // 3, : SIDE // 3].min() > 50
    assert abs(color[2 * SIDE // 3 :, 2 * SIDE // 3 :]).max() == 0


def test_what_hardly_speaks_for_low_hardly_glows(capture, patient, picture):
    strong = capture(patient).pixel_array.astype(int)
    picture.heat_map[:] /= 16
    faint = capture(patient).pixel_array.astype(int)
    corner = slice(SIDE // 3)
    glows = [(pixels[corner, corner, 0] - pixels[corner, corner, 2]).mean() for pixels in (faint, strong)]
    assert 0 < glows[0] < glows[1] / 4


def test_it_refers_to_its_image(capture, patient):
    document = capture(patient)
    (source,) = document.SourceImageSequence
    assert source.ReferencedSOPInstanceUID == "1.2.826.0.1.3.1"
    assert source.ReferencedFrameNumber == 2
    assert document.StudyInstanceUID == "1.2.826.0.1.1"
    assert (document.PatientID, document.StudyDescription) == ("4711", "MR knee")


def test_it_says_that_it_is_not_for_diagnosis(capture, patient):
    document = capture(patient)
    assert "not for diagnosis" in document.SeriesDescription
    assert document.ImageType == ["DERIVED", "SECONDARY", "OTHER"]
    assert document.LossyImageCompression == "01"


def test_the_same_records_give_the_same_bytes(capture, patient, tmp_path):
    for name in ("one", "other"):
        capture(patient).save_as(tmp_path / name, enforce_file_format=True)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


@pytest.mark.system
def test_dciodvfy_finds_no_error(capture, patient, passes_dciodvfy):
    assert passes_dciodvfy(capture(patient))
    assert passes_dciodvfy(capture(Dataset()))
