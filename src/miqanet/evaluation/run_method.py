"""A network that `miqanet train` has trained already, as a row of the benchmark: tested on whom it does not know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miqanet.database.records import ImageRecord
from miqanet.evaluation.catalog import RUNS
from miqanet.evaluation.methods import Fitted
from miqanet.preprocessing import DOUBT, SIZE
from miqanet.training.run import Run


@dataclass(frozen=True, slots=True)
class RunMethod:
    """The best weights of a run, or those exported from it, for subjects of a fold that it never learned from."""

    folder: Path
    run: Run
    names: Mapping[int, str]
    """What identifies each subject in other databases, too."""

    workers: int = 1

    @property
    def name(self) -> str:
        """Name of the row: that of the network stands for training anew in each fold."""
        return RUNS[self.run.network]

    @property
    def settings(self) -> Mapping[str, Any]:
        """The run's own, what it began with, and which weights came of it.

        Raises:
            FileNotFoundError: the run has not finished an epoch.
        """
        from miqanet.training.checkpoints import weights_digest

        kept = ("size", "epochs", "batch", "learning_rate", "seed")
        stages = [_in_words(run) for run in reversed(self.run.lineage())]
        return {
            **{name: self.run.settings[name] for name in kept},
            "trained_by": f"miqanet train, {', after '.join(stages)}",
            "weights": weights_digest(self.folder)[:16],
            "second_look": DOUBT,
        }

    def fit(
        self,
        train: Sequence[ImageRecord],  # noqa: ARG002
        validation: Sequence[ImageRecord],  # noqa: ARG002
        folder: Path,  # noqa: ARG002
        tell: Callable[[str], None],  # noqa: ARG002
    ) -> Fitted:
        """Take the run's best weights, and say whom it, and what it began with, knows.

        Raises:
            FileNotFoundError: the run has not finished an epoch.
            ValueError: it is not known from whom the run learned, or who chose its epoch.
        """
        from miqanet.training.checkpoints import weights_file
        from miqanet.training.predict import predict

        checkpoint = weights_file(self.folder)
        lineage = self.run.lineage()
        if not all(run.trained_on and run.validated_on for run in lineage):
            raise ValueError(
                f"{self.folder} does not say who trained and validated it, or what it began with"
            )

        def judge(images: Sequence[ImageRecord]) -> NDArray[np.float64]:
            # As it is used, at the size at which its epoch was chosen, whatever it was trained at.
            answers = predict(checkpoint, images, size=SIZE, workers=self.workers, doubt=DOUBT)
            return answers.probability_low

        return Fitted(
            judge,
            hardware=", then ".join(dict.fromkeys(run.hardware for run in lineage)),
            minutes=sum(run.minutes for run in lineage),
            learned_from=self._of(name for run in lineage for name in run.trained_on),
            chosen_by=self._of(name for run in lineage for name in run.validated_on),
            body_parts=frozenset(part for run in lineage for part in run.body_parts),
        )

    def _of(self, names: Iterable[str]) -> frozenset[int]:
        """Return the subjects of these names: a run may have been trained on another database."""
        wanted = set(names)
        return frozenset(subject for subject, name in self.names.items() if name in wanted)


def _in_words(run: Run) -> str:
    """Return how long a run learned from what."""
    images = f"{run.settings['images_per_epoch']} images spoiled afresh" if run.fresh else "the stored images"
    unseen = f", without {', '.join(run.held_out)}" if run.held_out else ""
    return f"{run.settings['epochs']} epochs of {images} at {run.settings['size']} pixels{unseen}"
