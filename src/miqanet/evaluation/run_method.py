"""A network that `miqanet train` has trained already, as a row of the benchmark: tested on whom it does not know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miqanet.database.folds import Role
from miqanet.database.records import ImageRecord, SubjectRecord
from miqanet.evaluation.catalog import RUNS
from miqanet.evaluation.methods import Fitted
from miqanet.training.run import Run


@dataclass(frozen=True, slots=True)
class RunMethod:
    """The best weights of a run, or those exported from it, for subjects of a fold that it never learned from."""

    folder: Path
    run: Run
    subjects: Sequence[SubjectRecord]
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
            ValueError: it is not known from whom the run learned.
        """
        from miqanet.training.checkpoints import weights_file
        from miqanet.training.predict import predict

        checkpoint = weights_file(self.folder)
        lineage = self.run.lineage()

        def judge(images: Sequence[ImageRecord]) -> NDArray[np.float64]:
            return predict(
                checkpoint, images, size=self.run.settings["size"], workers=self.workers
            ).probability_low

        return Fitted(
            judge,
            hardware=", then ".join(dict.fromkeys(run.hardware for run in lineage)),
            minutes=sum(run.minutes for run in lineage),
            learned_from=self._learned_from(lineage),
            chosen_by=self._chosen_by(lineage),
        )

    def _learned_from(self, lineage: Sequence[Run]) -> frozenset[int]:
        if not all(run.trained_on for run in lineage):
            raise ValueError(f"{self.folder} does not say whom it, or what it began with, was trained on")
        seen = {name for run in lineage for name in run.trained_on}
        return frozenset(subject for subject, name in self.names.items() if name in seen)

    def _chosen_by(self, lineage: Sequence[Run]) -> frozenset[int]:
        roles = [run.roles(list(self.subjects), self.names) for run in lineage]
        return frozenset(s for each in roles for s, role in each.items() if role is Role.VALIDATION)


def _in_words(run: Run) -> str:
    """Return how long a run learned from what."""
    images = f"{run.settings['images_per_epoch']} images spoiled afresh" if run.fresh else "the stored images"
    unseen = f", without {', '.join(run.held_out)}" if run.held_out else ""
    return f"{run.settings['epochs']} epochs of {images} at {run.settings['size']} pixels{unseen}"
