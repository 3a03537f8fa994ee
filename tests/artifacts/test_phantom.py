import numpy as np
import pytest

from miqanet.artifacts.body import body_mask
from miqanet.artifacts.phantom import phantom


@pytest.mark.parametrize("shape", [(256, 256), (97, 130), (200, 64)], ids=str)
def test_phantom_is_a_clean_slice_in_air(shape):
    image = phantom(shape)
    assert image.shape == shape
    assert image.dtype == np.float32
    assert image.min() == 0
    assert image.max() == pytest.approx(1, abs=1e-3)
    assert (image[0] == 0).all()
    assert (image[:, 0] == 0).all()


def test_seed_varies_the_anatomy():
    assert np.array_equal(phantom((64, 64), 1), phantom((64, 64), 1))
    assert np.abs(phantom((64, 64), 1) - phantom((64, 64), 2)).max() > 0.3


def test_fat_surrounds_the_head():
    image = phantom()
    rows, _ = np.nonzero(image)
    assert image[rows.min() + 5, 128] == pytest.approx(1, abs=0.01)
    assert 0.3 < body_mask(image).mean() < 0.7


def test_edges_are_anti_aliased():
    row = phantom()[128]
    edge = row[(row > 0.02) & (row < 0.98)]
    assert edge.size
    assert row[np.nonzero(row)[0][0]] < 1
