from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from miqanet.image import MRImage


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4), (0, 5), (5, 0)])
def test_pixels_have_two_axes_and_at_least_one_pixel(shape):
    with pytest.raises(ValueError, match="two axes"):
        MRImage(np.zeros(shape, np.float32), "a.dcm")


def test_patient_is_not_shown():
    image = MRImage(np.ones((1, 1), np.float32), "a.dcm", patient="Doe^Jane")
    assert "Doe" not in repr(image)
    assert image.patient == "Doe^Jane"


def test_image_is_immutable():
    image = MRImage(np.ones((2, 2), np.float32), "a.dcm")
    with pytest.raises(dataclasses.FrozenInstanceError):
        image.frame = 3
