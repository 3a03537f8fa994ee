"""A no-reference method as a scikit-learn classifier: features, scaling, support vectors, threshold.

The releases regress opinion scores on scaled features by support vectors (Smola & Schölkopf, Statistics and Computing
14, 2004), and were fitted to photographs. Here the machine learns two classes from MR images; the threshold on what
it says is chosen on images that it has not learned from. Needs scikit-learn (the extra `benchmark`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_curve
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC, SVR, NuSVR
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data

Array = NDArray[np.float64]
Images = Sequence[ArrayLike] | NDArray[Any]
"""Images of any sizes, or features (N, F)."""


class FeatureClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Tells two classes of images from each other by the features of a method.

    The positive class is the second in sorted order: True, 1, or "low" of "high" and "low".

    Args:
        method: from an image to its vector, such as `miqanet.features.brisque`. None where X has the features
            already, a row an image, which is what cross-validation wants that is not to compute them anew each time.
        machine: "svr" regresses 0 and 1, as the releases regress scores; "nusvr" does so, too, with the
            least share of support vectors (0.5) in place of a tolerance, as in CORNIA; "svc" separates the classes.
        kernel: "rbf", as in BRISQUE and DIIVINE, or "linear", as in CORNIA.
        C: weight of the errors against the smoothness of the machine.
        gamma: of the RBF kernel.
        validation_share: of the images, held out for the threshold where `fit` is given no validation fold.
        n_jobs: processes that compute features; -1 for one a processor.
        random_state: of the images held out.

    Attributes:
        classes_: the two classes.
        machine_: imputation of undefined features (medians), choice of those that vary, scaling to -1..1, and the
            machine.
        threshold_: what the machine has to say of an image of the positive class at least: where balanced accuracy
            is greatest on the validation fold.
        slope_: of the probability of the positive class, expit(slope_ * decision_function), the likeliest on the
            validation fold (Platt, 1999); so 0.5 is the threshold.
    """

    def __init__(
        self,
        method: Callable[[ArrayLike], Array] | None = None,
        *,
        machine: Literal["svr", "nusvr", "svc"] = "svr",
        kernel: Literal["rbf", "linear"] = "rbf",
        C: float = 1.0,  # noqa: N803  # the name in scikit-learn
        gamma: float | Literal["scale", "auto"] = "scale",
        validation_share: float = 0.2,
        n_jobs: int = 1,
        random_state: int | None = 0,
    ) -> None:
        self.method = method
        self.machine = machine
        self.kernel = kernel
        self.C = C
        self.gamma = gamma
        self.validation_share = validation_share
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Images,  # noqa: N803
        y: ArrayLike,
        validation: tuple[Images, ArrayLike] | None = None,
    ) -> Self:
        """Learn from images (or features) and their classes, then choose the threshold.

        Args:
            X: images, values 0..255, or features (N, F).
            y: (N,) classes.
            validation: images (or features) and classes of the validation fold. Where subjects have several images,
                give one: images that are held out at random are of subjects that the machine has learned from.

        Raises:
            ValueError: not two classes, the validation fold lacks one or has others, or no feature varies.
        """
        features = self._features(X, fitting=True)
        labels = column_or_1d(y, warn=True)
        check_consistent_length(features, labels)
        check_classification_targets(labels)
        self.classes_ = np.unique(labels)
        if len(self.classes_) != 2:
            raise ValueError(
                f"Only binary classification is supported. y has {len(self.classes_)} class(es), not two"
            )
        positive = labels == self.classes_[1]
        if validation is None:
            features, held_out, positive, held_out_positive = train_test_split(
                features,
                positive,
                test_size=self.validation_share,
                stratify=positive,
                random_state=self.random_state,
            )
        else:
            held_out = self._features(validation[0])
            held_out_labels = column_or_1d(validation[1])
            check_consistent_length(held_out, held_out_labels)
            if not np.isin(held_out_labels, self.classes_).all():
                raise ValueError(f"the validation fold has other classes than {list(self.classes_)}")
            held_out_positive = held_out_labels == self.classes_[1]
        if held_out_positive.all() or not held_out_positive.any():
            raise ValueError("the threshold needs validation images of both classes")
        self.machine_ = self._machine().fit(features, positive.astype(np.float64))
        decision = self._decide(held_out)
        self.threshold_ = _balanced_threshold(decision, held_out_positive)
        self.slope_ = _likeliest_slope(decision - self.threshold_, held_out_positive)
        return self

    def decision_function(self, X: Images) -> Array:  # noqa: N803
        """Return what the machine says of each image less the threshold, (N,): from 0 on, the positive class."""
        check_is_fitted(self)
        return self._decide(self._features(X)) - self.threshold_

    def predict_proba(self, X: Images) -> Array:  # noqa: N803
        """Return the probabilities of the two classes, (N, 2)."""
        decision = self.decision_function(X)
        positive = expit(self.slope_ * decision)
        return np.stack([1 - positive, positive], axis=1)

    def predict(self, X: Images) -> NDArray[Any]:  # noqa: N803
        """Return the class of each image, (N,)."""
        positive = self.decision_function(X) >= 0
        return np.asarray(self.classes_[positive.astype(int)])

    def _features(self, images: Images, *, fitting: bool = False) -> Array:
        if self.method is not None:
            images = np.stack(Parallel(n_jobs=self.n_jobs)(delayed(self.method)(image) for image in images))
        # A feature that an image does not define is NaN.
        checked = validate_data(self, images, reset=fitting, dtype=np.float64, ensure_all_finite="allow-nan")
        return np.asarray(checked, np.float64)

    def _machine(self) -> Pipeline:
        kinds = {"svr": SVR, "nusvr": NuSVR, "svc": SVC}
        if self.machine not in kinds:
            raise ValueError(f"machine is 'svr', 'nusvr' or 'svc', not {self.machine!r}")
        return make_pipeline(
            SimpleImputer(strategy="median", keep_empty_features=True),
            # As in the releases, a feature that never varies in training has no say.
            VarianceThreshold(),
            MinMaxScaler((-1, 1)),
            kinds[self.machine](kernel=self.kernel, C=self.C, gamma=self.gamma),
        )

    def _decide(self, features: Array) -> Array:
        says = self.machine_.decision_function if self.machine == "svc" else self.machine_.predict
        return np.asarray(says(features), np.float64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags


def _balanced_threshold(decision: Array, positive: NDArray[np.bool_]) -> float:
    """Return a threshold of greatest balanced accuracy, midway between two neighboring decisions."""
    false_alarms, hits, thresholds = roc_curve(positive, decision, drop_intermediate=False)
    # The first threshold is infinite and calls nothing positive.
    best = 1 + int(np.argmax((hits - false_alarms)[1:]))
    below = thresholds[min(best + 1, len(thresholds) - 1)]
    return float((thresholds[best] + below) / 2)


def _likeliest_slope(margin: Array, positive: NDArray[np.bool_]) -> float:
    """Return the slope, not below 0, of the likeliest expit(slope * margin)."""
    # Platt's targets, short of 0 and 1, keep the slope finite where the classes are apart.
    target = np.where(positive, (positive.sum() + 1) / (positive.sum() + 2), 1 / ((~positive).sum() + 2))
    unit = float(np.abs(margin).mean()) or 1.0

    def loss(slope: float) -> float:
        logit = slope * margin / unit
        return float(np.mean(np.logaddexp(0, logit) - target * logit))

    return float(minimize_scalar(loss, bounds=(0, 100), method="bounded").x) / unit
