"""What the benchmark compares: anything that learns from labelled images and then gives probabilities of low.

Methods are plain records that a worker process can be sent; what is learned is apart from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from miqanet.database.records import ImageRecord, SourceRecord

Predict = Callable[[Sequence[ImageRecord]], NDArray[np.float64]]
"""From images to their probabilities of low, (N,)."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A method that has learned."""

    predict: Predict
    hardware: str
    """That it has learned on."""

    minutes: float | None = None
    """What learning took where it was not now; None leaves that to the clock of the benchmark."""

    learned_from: frozenset[int] = frozenset()
    """Subjects that it learned from before this fold was made: they can neither calibrate nor test it."""

    chosen_by: frozenset[int] = frozenset()
    """Subjects that chose its epoch before this fold was made: they cannot test it."""

    body_parts: frozenset[str] | None = None
    """That it learned from before this fold was made; None where it was from the fold's training images."""


class Method(Protocol):
    """A row of the tables."""

    @property
    def name(self) -> str:
        """Name of the row."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a reader has to know to repeat it, in JSON's types; the folds of a row have the same."""
        ...

    def fit(
        self,
        train: Sequence[ImageRecord],
        validation: Sequence[ImageRecord],
        folder: Path,
        tell: Callable[[str], None],
    ) -> Fitted:
        """Learn from `train`, choose on `validation`, keep what has to outlast an interruption in `folder`.

        Raises:
            ValueError: it cannot be learned from these images.
        """
        ...


@dataclass(frozen=True, slots=True)
class NetworkMethod:
    """A network of `miqanet.networks`, trained from random weights."""

    name: str
    size: int = 512
    epochs: int = 30
    batch: int = 10
    learning_rate: float = 1e-3
    seed: int = 0
    workers: int = 1
    """Processes that make images; they change nothing but the time that it takes."""

    images_per_epoch: int = 3000
    sources: tuple[SourceRecord, ...] = ()
    """Clean slices to spoil afresh every epoch; none to learn from the stored images."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Its hyperparameters."""
        common = {
            "size": self.size,
            "epochs": self.epochs,
            "batch": self.batch,
            "learning_rate": self.learning_rate,
            "seed": self.seed,
            "images": "spoiled afresh" if self.sources else "stored",
        }
        return {**common, "images_per_epoch": self.images_per_epoch} if self.sources else common

    def fit(
        self,
        train: Sequence[ImageRecord],
        validation: Sequence[ImageRecord],
        folder: Path,
        tell: Callable[[str], None],
    ) -> Fitted:
        """Train; the validation images choose the best epoch."""
        from miqanet.training.fit import FitSettings, fit, to_watch
        from miqanet.training.hardware import hardware
        from miqanet.training.predict import predict

        settings = FitSettings(
            network=self.name, size=self.size, batch=self.batch, epochs=self.epochs,
            images_per_epoch=self.images_per_epoch, learning_rate=self.learning_rate,
            workers=self.workers, seed=self.seed,
        )  # fmt: skip
        subjects = {image.subject for image in train}
        slices = [source for source in self.sources if source.subject in subjects]
        if self.sources and not slices:
            raise ValueError("there are no clean slices of its training subjects to spoil afresh")
        watched = {"validation": to_watch(validation)}
        best = fit(
            folder, slices or train, watched, settings, watched_size=self.size, progress=False, tell=tell
        )

        def judge(images: Sequence[ImageRecord]) -> NDArray[np.float64]:
            return predict(best, images, size=self.size, workers=self.workers).probability_low

        return Fitted(judge, hardware())
