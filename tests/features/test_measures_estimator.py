from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from miqanet.artifacts import Noise
from miqanet.artifacts.phantom import phantom
from miqanet.features import measures
from miqanet.features.measures_estimator import MeasuresClassifier

Array = NDArray[np.float64]


def overlapping(count: int, seed: int) -> tuple[Array, NDArray[np.bool_]]:
    """Three features, of which the first tells something, on very different scales."""
    rng = np.random.default_rng(seed)
    low = rng.random(count) < 0.3
    features = rng.normal(size=(count, 3)) * (1, 1e-6, 1e6)
    features[:, 0] += low
    return features, low


def heads(count: int, seed: int) -> tuple[list[NDArray[np.float32]], list[str]]:
    """Phantoms, of which every second one is noisy, which makes it low."""
    rng = np.random.default_rng(seed)
    classes = ["high", "low"] * (count // 2)
    images = [
        Noise(snr=rng.uniform(3, 8) if low else rng.uniform(15, 60), seed=seed + i).apply(
            phantom((120, 128), seed + i)
        )
        for i, low in enumerate(name == "low" for name in classes)
    ]
    return images, classes


def test_it_learns_what_noise_does() -> None:
    classifier = MeasuresClassifier(measures).fit(*heads(60, 0), heads(20, 100))
    images, classes = heads(20, 200)
    assert list(classifier.classes_) == ["high", "low"]
    assert (classifier.predict(images) == classes).mean() > 0.9


def test_threshold_is_the_best_on_the_validation_fold() -> None:
    held_out, held_out_low = overlapping(200, 1)
    classifier = MeasuresClassifier().fit(*overlapping(300, 0), (held_out, held_out_low))
    decision = classifier.decision_function(held_out)
    reached = balanced_accuracy_score(held_out_low, classifier.predict(held_out))
    assert reached == max(balanced_accuracy_score(held_out_low, decision >= other) for other in decision)


def test_that_a_measure_is_undefined_may_tell_the_class() -> None:
    rng = np.random.default_rng(0)
    low = rng.random(200) < 0.5
    features = rng.normal(size=(200, 2))
    features[low, 1] = np.nan
    classifier = MeasuresClassifier().fit(features, low, (features, low))
    np.testing.assert_array_equal(classifier.predict(features), low)


def test_measure_that_no_training_image_defines_is_passed_over() -> None:
    features, low = overlapping(100, 0)
    unknown = features.copy()
    unknown[:, 2] = np.nan
    classifier = MeasuresClassifier().fit(unknown, low, (unknown, low))
    np.testing.assert_array_equal(classifier.predict(features), classifier.predict(unknown))


def test_units_of_the_measures_do_not_matter() -> None:
    features, low = overlapping(200, 0)
    scaled = features * (1e3, 1e9, 1e-9)
    once, again = (MeasuresClassifier().fit(x, low, (x, low)).predict(x) for x in (features, scaled))
    assert (once == again).mean() > 0.98


def test_probability_verdict_and_decision_agree() -> None:
    classifier = MeasuresClassifier().fit(*overlapping(300, 0), overlapping(200, 1))
    features, _ = overlapping(100, 2)
    low = classifier.predict(features)
    np.testing.assert_array_equal(low, classifier.decision_function(features) >= 0)
    np.testing.assert_array_equal(low, classifier.predict_proba(features)[:, 1] >= 0.5)


def test_it_repeats_cross_validates_and_is_cloned() -> None:
    features, low = overlapping(200, 0)
    classifier = MeasuresClassifier(n_estimators=50)
    once, again = (cross_val_score(clone(classifier), features, low, cv=3) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert clone(classifier).get_params() == classifier.get_params()


def test_it_is_an_estimator_like_any_other() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks try what warns
        check_estimator(MeasuresClassifier(), on_skip=None)
