"""Feature methods learn from training images and choose on validation images."""

from __future__ import annotations

import pickle
import time
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from miqanet.database.png import encode_png
from miqanet.evaluation.feature_cache import Features
from miqanet.evaluation.feature_methods import CorniaMethod, FeatureMethod
from miqanet.evaluation.protocols import Protocol, folds


@pytest.fixture
def fold(world):
    return folds(Protocol.P1, world.images, world.subjects)[0]


@pytest.fixture
def telling(world):
    """Features of which the first tells the harm."""
    rng = np.random.default_rng(0)
    return {
        image.image: Features(np.array([np.log(max(image.harms.values())), *rng.normal(size=3)]), 0.5)
        for image in world.images
    }


@pytest.mark.parametrize("name", ["brisque", "measures"])
def test_what_features_tell_is_learned(name, telling, fold, tmp_path):
    method = FeatureMethod(name, telling)
    began = time.monotonic()
    fitted = pickle.loads(pickle.dumps(method)).fit(fold.train, fold.validation, tmp_path, print)  # noqa: S301
    fitting = (time.monotonic() - began) / 60
    probability = fitted.predict(fold.test)
    low = [image.low for image in fold.test]
    assert roc_auc_score(low, probability) > 0.9
    assert ((probability >= 0) & (probability <= 1)).all()
    # Half a second of features for each image that is learned from or chosen by.
    features = 0.5 * len(fold.train + fold.validation) / 60
    assert features < fitted.minutes <= features + fitting
    assert fitted.hardware.startswith("1 x ")
    assert method.settings["machine"] == (
        "gradient-boosted trees" if name == "measures" else "SVR, RBF kernel"
    )


def test_an_image_without_features_is_judged_too(telling, fold, tmp_path):
    few = telling | {
        fold.test[0].image: Features(np.empty(0), 0.1),
        fold.train[0].image: Features(np.empty(0), 0.1),
    }
    fitted = FeatureMethod("brisque", few).fit(fold.train, fold.validation, tmp_path, print)
    assert np.isfinite(fitted.predict(fold.test)).all()
    none = {number: Features(np.empty(0), 0.1) for number in telling}
    with pytest.raises(ValueError, match="no image is large enough for brisque"):
        FeatureMethod("brisque", none).fit(fold.train, fold.validation, tmp_path, print)


def test_a_codebook_is_learned_from_training_images(fold, tmp_path):
    rng = np.random.default_rng(0)

    def drawn(images, folder):
        records = []
        for image in images:
            pixels = rng.random((40, 40)) if image.low else np.tile(np.linspace(0, 1, 40), (40, 1))
            path = folder / f"{image.image}.png"
            path.write_bytes(encode_png(pixels + 0.01 * rng.random((40, 40))))
            records.append(replace(image, path=path))
        return records

    both = sorted(fold.test, key=lambda image: image.low)
    train, validation, test = (
        drawn(part, tmp_path) for part in (fold.train[:30], fold.validation, both[:3] + both[-3:])
    )
    method = CorniaMethod("cornia", 8)
    fitted = method.fit(train, validation, tmp_path, print)
    probability = fitted.predict(test)
    assert probability[-3:].min() > probability[:3].max()
    assert method.settings["atoms"] == 8
