"""The average of the weights along training, which is what validates and ships.

An exponential moving average judges better than any single step's weights (Polyak and Juditsky 1992; Tarvainen and
Valpola, "Mean teachers", NeurIPS 2017).
"""

from __future__ import annotations

from functools import partial

from lightning.pytorch.callbacks import WeightAveraging
from torch.optim.swa_utils import PARAM_LIST, get_ema_multi_avg_fn

_EVERY = 5
"""Steps from one update to the next: at each step it would take a tenth of the time."""


class WeightAverage(WeightAveraging):
    """Averages weights and buffers over about half an epoch; unlike Lightning's own, it travels to processes.

    Args:
        device: where the average lies. It is made before the network moves there, so it has to be said.
        steps: of an epoch.
    """

    def __init__(self, device: str, steps: int) -> None:
        decay = 1 - 1 / max(2.0, steps / _EVERY / 2)
        super().__init__(device, multi_avg_fn=partial(_approach, decay=decay))

    def should_update(self, step_idx: int | None = None, epoch_idx: int | None = None) -> bool:  # noqa: ARG002
        """Whether this step, counted from 0, is one that the average takes in."""
        return step_idx is not None and step_idx % _EVERY == 0


def _approach(averaged: PARAM_LIST, current: PARAM_LIST, updates: int, *, decay: float) -> None:
    get_ema_multi_avg_fn(decay)(averaged, current, updates)  # type: ignore[no-untyped-call]  # torch's lacks types
