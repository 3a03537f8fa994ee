from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from miqanet.artifacts import KINDS
from miqanet.training.data import FreshPairs, Sample, collate
from miqanet.training.module import QualityModule


@pytest.fixture
def batch(data) -> Sample:
    pairs = FreshPairs(data.sources, KINDS, 64, pairs=2)
    return collate([pairs[0], pairs[1]])


@pytest.fixture
def module(monkeypatch) -> QualityModule:
    torch.manual_seed(0)
    module = QualityModule(KINDS, 1e-3, 0.02, ("validation", "held_out"))
    logged: dict[str, float] = {}
    monkeypatch.setattr(module, "log", lambda name, value, **_: logged.update({name: float(value.detach())}))
    module.logged = logged
    return module


def test_a_step_learns_the_batch(module, batch):
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3)
    losses = []
    for _ in range(6):
        loss = module.training_step(batch, 0)
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in module.parameters())
        optimizer.step()
        losses.append(float(loss.detach()))
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0]


def test_the_loss_is_cross_entropy_and_that_of_each_artifact(module, batch):
    module.eval()
    with torch.no_grad():
        loss = module.training_step(batch, 0)
        quality, artifacts = module(batch.image)
    verdict = -(
        batch.low * quality.log_softmax(1)[:, 1] + (1 - batch.low) * quality.log_softmax(1)[:, 0]
    ).mean()
    named = functional.binary_cross_entropy_with_logits(artifacts, batch.kinds, reduction="none")
    torch.testing.assert_close(loss, verdict + named.sum(1).mean())
    assert module.logged["loss"] == pytest.approx(float(verdict))


def test_without_the_head_the_loss_is_the_paper_s(batch):
    module = QualityModule((), 1e-3, 0.0, ("validation",))
    module.log = lambda *_args, **_options: None
    alone = Sample(batch.image, batch.low.round(), batch.kinds[:, :0])
    module.eval()
    with torch.no_grad():
        loss = module.training_step(alone, 0)
        expected = functional.cross_entropy(module(batch.image)[0], alone.low.long())
    torch.testing.assert_close(loss, expected)


def test_images_of_unknown_artifacts_teach_the_verdict_alone(module, batch):
    module.eval()
    unknown = batch._replace(kinds=batch.kinds.clone())
    unknown.kinds[1:] = torch.nan
    with torch.no_grad():
        loss = module.training_step(unknown, 0)
        _, artifacts = module(batch.image)
    named = functional.binary_cross_entropy_with_logits(artifacts[0], batch.kinds[0], reduction="sum")
    assert module.logged["artifact_loss"] == pytest.approx(float(named) / len(batch.low))
    assert loss.isfinite()


@pytest.mark.parametrize("network", ["resnet34", "squeezenet"])
def test_the_rivals_learn_the_verdict_alone(batch, network):
    module = QualityModule((), 1e-3, 0.0, ("validation",), network)
    module.log = lambda *_args, **_options: None
    quality, artifacts = module(batch.image)
    assert quality.shape == (4, 2)
    assert artifacts.shape == (4, 0)
    module.training_step(Sample(batch.image, batch.low, batch.kinds[:, :0]), 0).backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())


def test_watched_figures_are_those_of_their_own_images(module):
    for name, probability, low in (
        ("validation", [0.9, 0.2, 0.6, 0.1], [1, 1, 0, 0]),
        ("held_out", [0.7, 0.8], [0, 0]),
    ):
        module._answers[name].append((torch.tensor(probability), torch.tensor(low)))
    module.on_validation_epoch_end()
    # Three of the four pairs of a low and a high image are in order.
    assert module.logged["validation_auc"] == pytest.approx(0.75)
    assert module.logged["validation_false_alarms"] == pytest.approx(0.5)
    assert math.isnan(module.logged["held_out_auc"])
    assert module.logged["held_out_false_alarms"] == 1
    assert not any(module._answers.values())


def test_validation_collects_the_probability_of_low(module, batch):
    module.eval()
    with torch.inference_mode():
        module.validation_step(batch, 0, dataloader_idx=1)
        expected = module(batch.image)[0].softmax(1)[:, 1]
    assert not module._answers["validation"]
    probability, low = module._answers["held_out"][0]
    torch.testing.assert_close(probability, expected)
    assert low.tolist() == [int(vote >= 0.5) for vote in batch.low]


def test_weights_decay_but_not_biases_and_normalization(module):
    module.trainer = type("Trainer", (), {"estimated_stepping_batches": 40})()
    chosen = module.configure_optimizers()
    decayed, plain = chosen["optimizer"].param_groups
    assert decayed["weight_decay"] == 0.02
    assert plain["weight_decay"] == 0
    assert all(p.ndim >= 2 for p in decayed["params"])
    assert len(decayed["params"]) + len(plain["params"]) == len(list(module.parameters()))
    schedule = chosen["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(40):
        rates.append(schedule.get_last_lr()[0])
        chosen["optimizer"].step()
        schedule.step() if len(rates) < 40 else None
    assert rates.index(max(rates)) <= 0.05 * 40
    assert max(rates) == pytest.approx(1e-3)
    assert rates[-1] < 1e-6
