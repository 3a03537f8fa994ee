"""Tests of thumbnails, heat maps and their store."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from miqanet.screening.thumbnails import (
    MAX_BYTES,
    SIDE,
    PictureStore,
    encode_heat_map,
    encode_thumbnail,
)


@pytest.fixture
def ramp() -> np.ndarray:
    return np.tile(np.linspace(0, 1, 512, dtype=np.float32), (512, 1))


def test_thumbnail_shows_intensities_not_their_roots(ramp):
    shown = np.asarray(Image.open(BytesIO(encode_thumbnail(ramp))), float) / 255
    assert shown.shape == (SIDE, SIDE)
    np.testing.assert_allclose(shown[SIDE // 2], np.linspace(0, 1, SIDE) ** 2, atol=0.02)


def test_thumbnail_of_white_noise_stays_within_its_bytes():
    noise = np.random.default_rng(0).random((512, 512), np.float32)
    assert len(encode_thumbnail(noise)) <= MAX_BYTES


def test_heat_map_glows_only_where_it_speaks_for_low():
    heat_map = np.full((16, 16), -3, np.float32)
    heat_map[:4, :4] = 5
    rgba = np.asarray(Image.open(BytesIO(encode_heat_map(heat_map, 5.0))).convert("RGBA"))
    side = len(rgba)
    assert rgba[side // 8, side // 8, 3] > 120
    assert rgba[side // 2 :, side // 2 :, 3].max() == 0
    assert rgba[..., 3].max() < 255


def test_weak_heat_map_stays_weak_on_the_common_scale():
    weak = np.full((16, 16), 0.2, np.float32)
    rgba = np.asarray(Image.open(BytesIO(encode_heat_map(weak, 5.0))).convert("RGBA"))
    assert rgba[..., 3].max() < 20


def test_store_returns_what_was_put(tmp_path, ramp):
    heat_map = np.arange(256, dtype=np.float32).reshape(16, 16)
    PictureStore(tmp_path).put("a", ramp, heat_map)
    picture = PictureStore(tmp_path).get("a")
    assert picture is not None
    assert picture.jpeg == encode_thumbnail(ramp)
    np.testing.assert_array_equal(picture.heat_map, heat_map)


def test_store_forgets_what_was_dropped(tmp_path, ramp):
    store = PictureStore(tmp_path)
    store.put("a", ramp, None)
    store.drop("a")
    store.drop("never kept")
    assert store.get("a") is None
    assert not list(tmp_path.iterdir())


def test_a_picture_that_a_power_cut_left_empty_is_none(tmp_path, ramp):
    store = PictureStore(tmp_path)
    store.put("a", ramp, None)
    assert store.get("a") is not None
    (tmp_path / "a.picture").write_bytes(b"")
    assert store.get("a") is None
