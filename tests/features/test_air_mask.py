import numpy as np
import pytest

from miqanet.artifacts import Noise
from miqanet.artifacts.phantom import phantom
from miqanet.features.air_mask import BLOCK, Blocks, Regions, to_pixels


def regions(image: np.ndarray) -> Regions:
    return Regions.of(Blocks.of(image.astype(np.float32)))


@pytest.fixture
def head() -> np.ndarray:
    return Noise(snr=30, seed=1).apply(phantom())


def test_blocks_hold_mean_and_variance_of_their_pixels():
    image = np.random.default_rng(0).normal(20, 1, (23, 41)).astype(np.float32)
    blocks = Blocks.of(image)
    assert blocks.mean.shape == (5, 10)
    block = image[4:8, 12:16].astype(np.float64)
    assert blocks.mean[1, 3] == pytest.approx(block.mean())
    assert blocks.variance[1, 3] == pytest.approx(block.var(ddof=1), rel=1e-3)
    assert not blocks.flat.any()


def test_flat_blocks_are_found():
    image = np.ones((16, 16), np.float32)
    image[5, 5] = 2
    assert (~Blocks.of(image).flat).nonzero() == (np.array([1]), np.array([1]))


@pytest.mark.parametrize("snr", [3, 10, 100])
def test_air_is_found_around_the_body_whatever_the_noise(snr):
    clean = phantom()
    found = regions(Noise(snr=snr, seed=2).apply(clean))
    air = to_pixels(found.air, clean.shape)
    assert np.all(clean[air] == 0)
    assert np.mean(air[clean == 0]) > 0.6
    body = to_pixels(found.body, clean.shape)
    assert np.mean(body[clean > 0.3]) > 0.99


def test_dark_holes_in_the_body_are_no_air(head):
    y, x = np.indices(head.shape)
    hole = np.hypot(y - 128, x - 128) < 25
    head[hole] = 0.01
    found = regions(head)
    assert not to_pixels(found.air, head.shape)[hole].any()
    assert to_pixels(found.body, head.shape)[hole].all()


def test_image_that_tissue_fills_has_no_air():
    rng = np.random.default_rng(3)
    tissue = np.linspace(0.2, 1, 128)[:, None] + 0.05 * rng.normal(size=(128, 128))
    found = regions(tissue)
    assert not found.air.any()


def test_blanked_air_is_no_air():
    blanked = phantom()
    assert not regions(blanked).air.any()


def test_padding_is_left_out_of_air(head):
    padded = np.zeros((256, 352), np.float32)
    padded[:, 48:304] = head
    air = to_pixels(regions(padded).air, padded.shape)
    assert air[:, 48:304].any()
    assert not air[:, :44].any()
    assert not air[:, 308:].any()


def test_noise_of_few_gray_levels_is_still_air(head):
    coarse = np.round(head * 40)
    assert regions(coarse).air.sum() > 0.9 * regions(head).air.sum()


@pytest.mark.parametrize("image", [np.ones((64, 64)), np.eye(64)], ids=["constant", "line"])
def test_image_without_body_or_air_is_no_error(image):
    assert not regions(image).air.any()


def test_mask_of_pixels_leaves_out_what_no_block_covers():
    pixels = to_pixels(np.ones((2, 3), bool), (10, 15))
    assert pixels.sum() == 6 * BLOCK**2
    assert not pixels[8:].any()
    assert not pixels[:, 12:].any()
