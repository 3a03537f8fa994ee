from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from miqanet.features import CorniaCodebook, bliinds2, brisque, cornia
from miqanet.features.estimators import FeatureClassifier

Array = NDArray[np.float64]


def pictures(count: int, seed: int = 0) -> tuple[list[Array], list[str]]:
    """Pictures of several sizes; every second one is blurred, which makes it low."""
    rng = np.random.default_rng(seed)
    images, classes = [], []
    for number in range(count):
        picture = 400 * gaussian_filter(rng.normal(size=(40 + number % 5, 44)), 3) + 128
        picture += rng.normal(scale=10, size=picture.shape)
        low = number % 2 == 1
        images.append(np.clip(gaussian_filter(picture, 1.2) if low else picture, 0, 255))
        classes.append("low" if low else "high")
    return images, classes


def overlapping(count: int, seed: int) -> tuple[Array, NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    low = rng.random(count) < 0.3
    features = rng.normal(size=(count, 3))
    features[:, 0] += low
    return features, low


@pytest.mark.parametrize("machine", ["svr", "svc"])
@pytest.mark.parametrize("method", [brisque, bliinds2])
def test_it_learns_what_blur_does(method: Any, machine: str) -> None:
    classifier = FeatureClassifier(method, machine=machine)
    classifier.fit(*pictures(40), validation=pictures(12, seed=1))
    images, classes = pictures(12, seed=2)
    assert list(classifier.classes_) == ["high", "low"]
    assert (classifier.predict(images) == classes).mean() > 0.9


def test_a_method_with_a_codebook_is_a_method_like_any_other() -> None:
    images, classes = pictures(20)
    codebook = CorniaCodebook.fit(images, k=8)
    classifier = FeatureClassifier(partial(cornia, codebook=codebook), kernel="linear")
    assert classifier.fit(images, classes).predict(images).shape == (20,)


@pytest.mark.parametrize("machine", ["svr", "svc"])
def test_threshold_is_the_best_on_the_validation_fold(machine: str) -> None:
    features, low = overlapping(300, 0)
    held_out, held_out_low = overlapping(200, 1)
    classifier = FeatureClassifier(machine=machine).fit(features, low, (held_out, held_out_low))
    decision = classifier.decision_function(held_out)
    reached = balanced_accuracy_score(held_out_low, classifier.predict(held_out))
    others = [balanced_accuracy_score(held_out_low, decision >= other) for other in decision]
    assert reached == max(others)
    # Learned from the training images alone.
    assert len(classifier.machine_["simpleimputer"].statistics_) == 3
    np.testing.assert_allclose(classifier.machine_["minmaxscaler"].data_max_, features.max(axis=0))


def test_probabilities_agree_with_the_threshold_and_the_frequencies() -> None:
    classifier = FeatureClassifier().fit(*overlapping(600, 0), overlapping(600, 1))
    features, low = overlapping(2000, 2)
    probabilities = classifier.predict_proba(features)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(probabilities[:, 1] >= 0.5, classifier.predict(features))
    assert roc_auc_score(low, probabilities[:, 1]) == pytest.approx(
        roc_auc_score(low, classifier.decision_function(features))
    )
    sure = probabilities[:, 1] > np.quantile(probabilities[:, 1], 0.9)
    assert low[sure].mean() > low.mean() + 0.2


def test_undefined_features_count_as_the_median() -> None:
    features, low = overlapping(100, 0)
    classifier = FeatureClassifier().fit(features, low)
    unknown = features.copy()
    unknown[:, 1] = np.nan
    known = features.copy()
    known[:, 1] = classifier.machine_[0].statistics_[1]
    np.testing.assert_array_equal(classifier.decision_function(unknown), classifier.decision_function(known))


@pytest.mark.parametrize("constant", [4.0, np.nan])
def test_features_that_never_vary_in_training_have_no_say(constant: float) -> None:
    features, low = overlapping(100, 0)
    features[:, 1] = constant
    classifier = FeatureClassifier().fit(features, low, (features, low))
    varied = features.copy()
    varied[:, 1] = np.arange(100)
    np.testing.assert_array_equal(
        classifier.decision_function(varied), classifier.decision_function(features)
    )


def test_it_cross_validates_on_images_and_on_features() -> None:
    images, classes = pictures(30)
    on_images = cross_val_score(FeatureClassifier(brisque), images, classes, cv=3)
    features = np.stack([brisque(image) for image in images])
    on_features = cross_val_score(FeatureClassifier(), features, classes, cv=3)
    np.testing.assert_array_equal(on_images, on_features)
    assert on_images.mean() > 0.8


def test_its_settings_can_be_searched_and_cloned() -> None:
    features, low = overlapping(120, 0)
    search = GridSearchCV(FeatureClassifier(machine="svc"), {"C": [0.1, 10.0]}, cv=3).fit(features, low)
    assert search.best_params_["C"] in (0.1, 10.0)
    assert clone(search.best_estimator_).get_params() == search.best_estimator_.get_params()


def test_a_validation_fold_of_one_class_is_refused() -> None:
    features, low = overlapping(50, 0)
    with pytest.raises(ValueError, match="validation images of both classes"):
        FeatureClassifier().fit(features, low, (features[low], low[low]))


def test_validation_labels_that_do_not_fit_are_refused() -> None:
    features, low = overlapping(50, 0)
    with pytest.raises(ValueError, match="other classes"):
        FeatureClassifier().fit(features, low, (features, np.where(low, 2, 0)))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        FeatureClassifier().fit(features, low, (features, low[:-1]))


def test_an_unknown_machine_is_refused() -> None:
    with pytest.raises(ValueError, match="or 'svc', not 'tree'"):
        FeatureClassifier(machine="tree").fit(*overlapping(50, 0))  # type: ignore[arg-type]


@pytest.mark.parametrize("machine", ["svr", "svc"])
def test_it_is_an_estimator_like_any_other(machine: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks try what warns
        check_estimator(FeatureClassifier(machine=machine), on_skip=None)
