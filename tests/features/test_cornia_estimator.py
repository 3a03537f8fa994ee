from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

from miqanet.features.codebook import CorniaCodebook
from miqanet.features.cornia import cornia
from miqanet.features.cornia_estimator import CorniaClassifier
from miqanet.features.patches import draw_patches

Images = list[NDArray[np.float64]]


def some_images(seed: int, count: int = 24) -> tuple[Images, NDArray[np.str_]]:
    """Smooth images, of which each other one is noisy, of two sizes."""
    rng = np.random.default_rng(seed)
    images = []
    for i in range(count):
        image = 128 + 400 * gaussian_filter(rng.normal(size=(24, 24 + i % 3)), 3)
        images.append(np.clip(image + (i % 2) * rng.normal(scale=12, size=image.shape), 0, 255))
    return images, np.array(["high", "low"] * (count // 2))


@pytest.fixture(scope="module")
def fitted() -> CorniaClassifier:
    return CorniaClassifier(k=20, patches=150).fit(*some_images(0), some_images(1))


def test_noisy_images_are_told_from_clean_ones(fitted: CorniaClassifier) -> None:
    images, labels = some_images(2)
    assert fitted.score(images, labels) >= 0.9
    assert list(fitted.classes_) == ["high", "low"]


def test_verdict_probability_and_decision_agree(fitted: CorniaClassifier) -> None:
    images, _ = some_images(3)
    low = fitted.predict(images) == "low"
    probability = fitted.predict_proba(images)
    np.testing.assert_array_equal(low, fitted.decision_function(images) >= 0)
    np.testing.assert_array_equal(low, probability[:, 1] >= 0.5)
    np.testing.assert_allclose(probability.sum(axis=1), 1)


def test_codebook_is_of_the_training_images_only(fitted: CorniaClassifier) -> None:
    np.testing.assert_array_equal(
        fitted.codebook_.atoms, CorniaCodebook.fit(some_images(0)[0], k=20, seed=0).atoms
    )


def test_images_held_out_for_the_threshold_are_not_in_the_codebook() -> None:
    images, labels = some_images(0)
    whole = CorniaClassifier(k=20, patches=150).fit(images, labels)
    assert not np.array_equal(whole.codebook_.atoms, CorniaCodebook.fit(images, k=20, seed=0).atoms)
    assert set(whole.predict(images)) == {"high", "low"}


def test_features_are_those_of_patches_drawn_alike_for_every_image(fitted: CorniaClassifier) -> None:
    images, _ = some_images(4)
    expected = [
        cornia(image, fitted.codebook_, draw_patches(image.shape, np.random.default_rng(0), 150))
        for image in images
    ]
    np.testing.assert_array_equal(
        fitted.decision_function(images), fitted.classifier_.decision_function(np.stack(expected))
    )
    np.testing.assert_array_equal(fitted.decision_function(images)[3:], fitted.decision_function(images[3:]))


def test_machine_is_the_linear_nu_svr_of_the_release(fitted: CorniaClassifier) -> None:
    machine = fitted.classifier_.machine_[-1]
    assert type(machine).__name__ == "NuSVR"
    assert (machine.kernel, machine.C, machine.nu) == ("linear", 1, 0.5)


def test_it_clones_and_cross_validates() -> None:
    images, labels = some_images(0)
    estimator = clone(CorniaClassifier(k=10, patches=100, random_state=3))
    assert estimator.get_params()["k"] == 10
    assert cross_val_score(estimator, images, labels, cv=3).min() >= 0.75


def test_it_says_nothing_before_it_has_learned() -> None:
    with pytest.raises(NotFittedError):
        CorniaClassifier().predict(some_images(0)[0])


def test_one_class_and_small_images_are_refused() -> None:
    images, labels = some_images(0)
    with pytest.raises(ValueError, match="binary"):
        CorniaClassifier(k=5, patches=50).fit(images, ["high"] * len(images), (images, labels))
    with pytest.raises(ValueError, match="both classes"):
        CorniaClassifier(k=5, patches=50).fit(images, labels, (images[::2], labels[::2]))
    with pytest.raises(ValueError, match="7 x 7"):
        CorniaClassifier(k=5).fit([np.zeros((6, 9)), *images[1:]], labels, (images, labels))


def test_color_images_are_refused(fitted: CorniaClassifier) -> None:
    with pytest.raises(ValueError, match="two axes"):
        fitted.predict([np.zeros((24, 24, 3))])
