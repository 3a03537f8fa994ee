"""CORNIA as a scikit-learn classifier: a codebook of the training images, then support vectors on their features.

As in the release (Ye et al., CVPR 2012), 10,000 random patches describe an image, and a linear nu-SVR (C = 1,
nu = 0.5) regresses on features scaled to -1..1. It learns the two classes in place of opinion scores. Needs
scikit-learn (the extra `benchmark`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from miqanet.features.checks import checked
from miqanet.features.codebook import CorniaCodebook
from miqanet.features.cornia import cornia
from miqanet.features.estimators import FeatureClassifier
from miqanet.features.patches import SIDE, draw_patches

Array = NDArray[np.float64]


class CorniaClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Tells two classes of images (any sizes, values 0..255) from each other by patterns that it learns first.

    The positive class is the second in sorted order: True, 1, or "low" of "high" and "low".

    Args:
        k: atoms of the codebook; the release has 10,000.
        patches: of each image, or all where it has fewer.
        validation_share: of the images, held out for the threshold where `fit` is given no validation fold.
        n_jobs: processes that compute features; -1 for one a processor.
        random_state: of the codebook, of the patches (the same positions in all images of a shape) and of the images
            held out.

    Attributes:
        classes_: the two classes.
        codebook_: learned on the training images only.
        classifier_: `FeatureClassifier` on their features, with the threshold.
    """

    def __init__(
        self,
        k: int = 1_000,
        *,
        patches: int = 10_000,
        validation_share: float = 0.2,
        n_jobs: int = 1,
        random_state: int = 0,
    ) -> None:
        self.k = k
        self.patches = patches
        self.validation_share = validation_share
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Collection[ArrayLike],  # noqa: N803  # the name in scikit-learn
        y: ArrayLike,
        validation: tuple[Collection[ArrayLike], ArrayLike] | None = None,
    ) -> Self:
        """Learn a codebook, then the classes of images, then choose the threshold.

        Args:
            X: training images; those on disk may be read as they are iterated over, which is done twice.
            y: (N,) classes.
            validation: images and classes of the validation fold. Where subjects have several images, give one:
                images that are held out at random are of subjects that the machine has learned from.

        Raises:
            ValueError: not two classes, a class is missing in the validation fold, or an image is too small.
        """
        if validation is None:
            X, held_out, y, held_out_y = train_test_split(  # noqa: N806
                X, y, test_size=self.validation_share, stratify=y, random_state=self.random_state
            )
            validation = held_out, held_out_y
        self.codebook_ = CorniaCodebook.fit(X, self.k, self.random_state)
        held_out, held_out_y = validation
        classifier = FeatureClassifier(machine="nusvr", kernel="linear")
        self.classifier_ = classifier.fit(self._encode(X), y, (self._encode(held_out), held_out_y))
        self.classes_ = self.classifier_.classes_
        return self

    def decision_function(self, X: Collection[ArrayLike]) -> Array:  # noqa: N803
        """Return what the machine says of each image less the threshold, (N,): from 0 on, the positive class."""
        features = self._encode(X)
        return np.asarray(self.classifier_.decision_function(features), np.float64)

    def predict_proba(self, X: Collection[ArrayLike]) -> Array:  # noqa: N803
        """Return the probabilities of the two classes, (N, 2)."""
        features = self._encode(X)
        return np.asarray(self.classifier_.predict_proba(features), np.float64)

    def predict(self, X: Collection[ArrayLike]) -> NDArray[Any]:  # noqa: N803
        """Return the class of each image, (N,)."""
        features = self._encode(X)
        return np.asarray(self.classifier_.predict(features))

    def _encode(self, images: Collection[ArrayLike]) -> Array:
        check_is_fitted(self, "codebook_")
        encoded = Parallel(n_jobs=self.n_jobs)(
            delayed(_features)(image, self.codebook_, self.patches, self.random_state) for image in images
        )
        return np.stack(encoded)


def _features(image: ArrayLike, codebook: CorniaCodebook, patches: int, seed: int) -> Array:
    pixels = checked(image, "CORNIA", SIDE)
    indices = draw_patches(pixels.shape, np.random.default_rng(seed), patches)
    return cornia(pixels, codebook, indices)
