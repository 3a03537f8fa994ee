"""Features are computed once an image, also over interruptions, and shared by content."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from miqanet.evaluation import feature_cache
from miqanet.evaluation.feature_cache import by_method, features_of, hashed
from miqanet.features import METHODS


@pytest.fixture
def few(world):
    return replace(world, images=world.images[:6], image_hashes={n: f"c{n}" for n in range(1, 7)})


def means(seen):
    def compute(items):
        for item in items:
            seen.append(item.path)
            yield np.array([item.pixels.mean(), item.pixels.std()])

    return compute


def test_features_are_computed_once(few, tmp_path):
    path, seen, progress = tmp_path / "features" / "means.parquet", [], []
    first = features_of(few, path, means(seen), progress=progress.append)
    assert len(seen) == 6
    assert progress == [0, 1, 2, 3, 4, 5, 6]
    again = features_of(few, path, means(seen), progress=progress.append)
    assert len(seen) == 6
    assert progress[-1] == 6
    for number, features in first.items():
        np.testing.assert_array_equal(again[number].vector, features.vector)
        assert again[number].seconds == features.seconds > 0


def test_features_of_another_version_are_computed_anew(few, tmp_path, monkeypatch):
    seen = []
    features_of(few, tmp_path / "means.parquet", means(seen))
    monkeypatch.setattr(feature_cache, "__version__", "0.0.0")
    for _ in range(2):
        features_of(few, tmp_path / "means.parquet", means(seen))
        assert len(seen) == 12


def test_images_of_the_same_content_share_their_features(few, tmp_path):
    seen = []
    twins = replace(few, image_hashes=few.image_hashes | {2: "c1"})
    features = features_of(twins, tmp_path / "means.parquet", means(seen))
    assert len(seen) == 5
    np.testing.assert_array_equal(features[1].vector, features[2].vector)


def test_what_was_computed_before_an_interruption_is_kept(few, tmp_path, monkeypatch):
    seen = []

    def interrupted(items):
        for place, vector in enumerate(means(seen)(items)):
            if place == 3:
                raise KeyboardInterrupt
            yield vector

    with pytest.raises(KeyboardInterrupt):
        features_of(few, tmp_path / "means.parquet", interrupted)
    seen.clear()
    monkeypatch.setattr(feature_cache, "_KEPT_EVERY", 1)
    features_of(few, tmp_path / "means.parquet", means(seen))
    assert len(seen) == 3


def test_an_image_too_small_for_a_method_has_no_features(few, tmp_path):
    def compute(items):
        return (None if item.path.endswith("3.png") else np.ones(2) for item in items)

    features_of(few, tmp_path / "f.parquet", compute)
    features = features_of(few, tmp_path / "f.parquet", compute)
    assert features[3].vector.shape == (0,)
    assert features[4].vector.shape == (2,)


def test_methods_see_images_in_the_classical_range(few, tmp_path, monkeypatch):
    monkeypatch.setitem(METHODS, "brightest", lambda image: np.array([np.max(image)]))
    features = features_of(few, tmp_path / "b.parquet", by_method("brightest", 1))
    assert features[1].vector == pytest.approx([255], rel=1e-3)


def test_hashes_tell_images_apart(few, tmp_path):
    features = features_of(few, tmp_path / "h.parquet", hashed)
    assert len({features[n].vector.tobytes() for n in features}) == 6
    assert set(np.unique(features[1].vector)) == {0.0, 1.0}
