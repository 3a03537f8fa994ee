from __future__ import annotations

import pickle

import lightning
import pytest
import torch

from miqanet.training.average import WeightAverage


class OneWeight(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))


def averaged(steps: int) -> float:
    """Return where the average of 1, then 0, comes to lie in an epoch of so many steps."""
    average, module = WeightAverage("cpu", steps), OneWeight()
    average.setup(None, module, "fit")
    # As it travels to another process.
    kept = pickle.loads(pickle.dumps(average))._average_model  # noqa: S301
    for value in (1.0, 0.0):
        torch.nn.init.constant_(module.weight, value)
        kept.update_parameters(module)
    return float(kept.module.weight.item())


def test_the_average_takes_in_every_fifth_step():
    average = WeightAverage("cpu", steps=100)
    assert [step for step in range(11) if average.should_update(step)] == [0, 5, 10]
    assert not average.should_update(epoch_idx=1)


def test_the_average_reaches_over_half_an_epoch():
    # A hundred steps are twenty updates, half of them ten: a tenth of the way each.
    assert averaged(100) == pytest.approx(0.9)
    assert averaged(1) == pytest.approx(0.5)
