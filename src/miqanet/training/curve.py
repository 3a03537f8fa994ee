"""The learning curve: a row an epoch in `log.csv`, and the same as a line for whoever watches."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from miqanet.database.png import write_whole

LOG_FILE = "log.csv"


class Curve(Callback):
    """Keeps the losses and watched figures of every finished epoch of a run, over all its interruptions."""

    def __init__(self, run: Path, tell: Callable[[str], None]) -> None:
        self._run, self._tell = run, tell
        self._rows: list[dict[str, str]] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Keep the rows of the epochs that this run has behind it; what comes after is trained again."""
        self._rows = [row for row in read_curve(self._run) if int(row["epoch"]) <= trainer.current_epoch]

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Write and tell the figures of the epoch, once however many processes train."""
        if not trainer.is_global_zero:
            return
        epoch = trainer.current_epoch + 1
        figures = {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
        self._rows.append({"epoch": str(epoch)} | {name: f"{value:.5g}" for name, value in figures.items()})
        stream = io.StringIO(newline="")
        writer = csv.DictWriter(stream, list(self._rows[-1]), restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(self._rows)
        write_whole(self._run / LOG_FILE, stream.getvalue().encode())
        told = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in figures.items())
        self._tell(f"epoch {epoch} of {trainer.max_epochs}: {told}")


def read_curve(run: Path) -> list[dict[str, str]]:
    """Return the rows of a run's finished epochs, counted from 1; none where nothing has been trained."""
    try:
        with (run / LOG_FILE).open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))
    except FileNotFoundError:
        return []
