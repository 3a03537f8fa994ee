"""MR's own measures as a scikit-learn classifier: gradient-boosted trees, then a threshold.

Trees (Friedman, Annals of Statistics 29, 2001; on histograms, as in LightGBM, Ke et al., NeurIPS 2017) suit the
measures: their scales differ by orders of magnitude, their meaning depends on one another, and an image without air
has no measures of air, which a tree takes as one more answer where support vectors need a number. Needs scikit-learn
(the extra `benchmark`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline

from miqanet.features.estimators import Array, FeatureClassifier

_LEAF = 5
"""Images in a leaf at least: so few that some dozen images can be learned from, too."""

_UNDEFINED = float(np.finfo(np.float32).min)
"""Stands for what was not measured: below all that is."""


class MeasuresClassifier(FeatureClassifier):
    """Tells two classes of images from each other by measures of which some may be undefined.

    As `FeatureClassifier`, but for the machine.

    Args:
        method: from an image to its vector, such as `miqanet.features.measures`; None where X has the measures.
        n_estimators: trees.
        learning_rate: weight of each tree.
        validation_share: of the images, held out for the threshold where `fit` is given no validation fold.
        n_jobs: processes that compute measures; -1 for one a processor.
        random_state: of the images held out.
    """

    def __init__(
        self,
        method: Callable[[ArrayLike], NDArray[np.float64]] | None = None,
        *,
        n_estimators: int = 200,
        learning_rate: float = 0.05,
        validation_share: float = 0.2,
        n_jobs: int = 1,
        random_state: int | None = 0,
    ) -> None:
        self.method = method
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.validation_share = validation_share
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _machine(self) -> Pipeline:
        # Stopping early would hold images out at random, of subjects that are learned from.
        trees = HistGradientBoostingClassifier(
            max_iter=self.n_estimators,
            learning_rate=self.learning_rate,
            min_samples_leaf=_LEAF,
            early_stopping=False,
        )
        # The trees take NaN, but fail where a measure is NaN in all training images.
        fill = SimpleImputer(strategy="constant", fill_value=_UNDEFINED, keep_empty_features=True)
        return make_pipeline(fill, trees)

    def _decide(self, features: Array) -> Array:
        return np.asarray(self.machine_.decision_function(features), np.float64)
