"""Methods that learn from features of images, as rows of the benchmark."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miqanet.database.png import read_png
from miqanet.database.records import ImageRecord
from miqanet.evaluation.feature_cache import Features
from miqanet.evaluation.methods import Fitted
from miqanet.features.gray import to_gray


@dataclass(frozen=True, slots=True)
class FeatureMethod:
    """A machine that learns from the features of one of `miqanet.features.METHODS`."""

    name: str
    features: Mapping[int, Features] = field(repr=False)
    """By the number of the image."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Its machine; the rest are the defaults of `miqanet.features.estimators`."""
        return {"machine": "gradient-boosted trees" if self.name == "measures" else "SVR, RBF kernel"}

    def fit(
        self,
        train: Sequence[ImageRecord],
        validation: Sequence[ImageRecord],
        folder: Path,  # noqa: ARG002
        tell: Callable[[str], None],  # noqa: ARG002
    ) -> Fitted:
        """Fit the machine on training images and its threshold on validation images."""
        from miqanet.features.estimators import FeatureClassifier
        from miqanet.features.measures_estimator import MeasuresClassifier
        from miqanet.training.hardware import processor_model

        began = time.monotonic()
        classifier = MeasuresClassifier() if self.name == "measures" else FeatureClassifier()
        classifier.fit(
            self._table(train), _labels(train), validation=(self._table(validation), _labels(validation))
        )
        # Features are computed once for all folds; each fold states what its own would have taken.
        seconds = sum(self.features[image.image].seconds for image in (*train, *validation))

        def predict(images: Sequence[ImageRecord]) -> NDArray[np.float64]:
            return np.asarray(classifier.predict_proba(self._table(images))[:, 1], np.float64)

        return Fitted(predict, f"1 x {processor_model()}", (time.monotonic() - began + seconds) / 60)

    def _table(self, images: Sequence[ImageRecord]) -> NDArray[np.float64]:
        """Return the features of images, (N, F); NaN where an image is too small to have them."""
        width = max((len(each.vector) for each in self.features.values()), default=0)
        if not width:
            raise ValueError(f"no image is large enough for {self.name}")
        vectors = [self.features[image.image].vector for image in images]
        return np.stack([vector if vector.size else np.full(width, np.nan) for vector in vectors])


def _labels(images: Sequence[ImageRecord]) -> NDArray[np.bool_]:
    return np.asarray([image.low for image in images], bool)


@dataclass(frozen=True, slots=True)
class CorniaMethod:
    """CORNIA: a codebook of each fold's training images, then support vectors on what it encodes."""

    name: str
    atoms: int
    jobs: int = 1
    """Processes that encode images."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Its codebook and machine; the rest are the defaults of `miqanet.features.cornia_estimator`."""
        return {"atoms": self.atoms, "machine": "nu-SVR, linear kernel"}

    def fit(
        self,
        train: Sequence[ImageRecord],
        validation: Sequence[ImageRecord],
        folder: Path,  # noqa: ARG002
        tell: Callable[[str], None],  # noqa: ARG002
    ) -> Fitted:
        """Learn codebook and machine on training images, and the threshold on validation images."""
        from miqanet.features.cornia_estimator import CorniaClassifier
        from miqanet.training.hardware import processor_model

        classifier = CorniaClassifier(self.atoms, n_jobs=self.jobs)
        classifier.fit(_Grays(train), _labels(train), (_Grays(validation), _labels(validation)))

        def predict(images: Sequence[ImageRecord]) -> NDArray[np.float64]:
            return np.asarray(classifier.predict_proba(_Grays(images))[:, 1], np.float64)

        return Fitted(predict, f"{self.jobs} x {processor_model()}")


class _Grays(Collection[NDArray[np.float64]]):
    """Images with values 0..255, read as they are iterated over: thousands would not fit into memory."""

    def __init__(self, records: Sequence[ImageRecord]) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        return (to_gray(read_png(record.path)) for record in self._records)

    def __contains__(self, image: object) -> bool:
        return any(each is image for each in self)
