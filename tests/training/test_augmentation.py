"""Another way to show an image: the same content, turned, flipped, interpolated or windowed."""

from __future__ import annotations

import numpy as np

from miqanet.artifacts.phantom import phantom
from miqanet.preprocessing import prepare
from miqanet.training.augmentation import vary


def test_all_eight_orientations_come_up_and_show_the_same():
    image = phantom((96, 64), seed=1)
    image[:20, :20] = 1  # nothing about it is symmetrical
    orientations = [np.rot90(side, turns).copy() for side in (image, image[:, ::-1]) for turns in range(4)]
    seen = set()
    for seed in range(60):
        shown = prepare(vary(image, np.random.default_rng(seed)), 64)
        likeness = [np.corrcoef(shown.ravel(), prepare(each, 64).ravel())[0, 1] for each in orientations]
        assert max(likeness) > 0.98
        seen.add(int(np.argmax(likeness)))
    assert seen == set(range(8))


def test_the_same_draw_shows_the_same_and_the_image_is_left_as_it_was():
    image = phantom((64, 64), seed=2)
    before = image.copy()
    one, other = (vary(image, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(image, before)
    assert one.dtype == np.float32
