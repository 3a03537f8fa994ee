"""A short run end to end: checkpoints, curve, interruption, weights."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from threadpoolctl import threadpool_info

from miqanet.database.records import ImageRecord
from miqanet.networks.squeezenet import SqueezeNet
from miqanet.preprocessing import SIZE
from miqanet.training.checkpoints import (
    BEST_CHECKPOINT,
    LAST_CHECKPOINT,
    network_weights,
    trained_network,
)
from miqanet.training.curve import read_curve
from miqanet.training.fit import FitSettings, _Best, _step_back, fit, to_watch
from miqanet.training.module import QualityModule
from miqanet.training.predict import predict


def test_of_many_images_some_of_either_class_are_watched():
    image = ImageRecord(Path("x"), 1, "site", "brain", "T1w", low=False, harms={}, simulated=True)
    images = [replace(image, low=place in (31, 33), image=place) for place in range(900)]
    watched = to_watch(images)
    assert 100 <= len(watched) <= 200
    assert [each.image for each in watched if each.low] == [31]
    assert watched == sorted(watched, key=lambda each: each.image)
    assert to_watch(images[:150]) == images[:150]


def test_a_run_leaves_checkpoints_and_a_curve(short_run):
    run, told = short_run
    assert (run / BEST_CHECKPOINT).exists()
    assert (run / LAST_CHECKPOINT).exists()
    assert list((run / "tensorboard").iterdir())
    rows = read_curve(run)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    for row in rows:
        assert 0 <= float(row["validation_auc"]) <= 1
        assert float(row["loss"]) > 0
        assert float(row["artifact_loss"]) > 0
        assert row["held_out_auc"] == "nan"
    assert [line.split(":")[0] for line in told] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert "validation auc" in told[0]


def test_a_small_run_is_validated_at_full_size(data, settings, tmp_path, monkeypatch):
    sizes: dict[str, set[int]] = {"training": set(), "validation": set()}

    def note(stage):
        step = getattr(QualityModule, f"{stage}_step")

        def noting(self, batch, index, *rest):
            sizes[stage].add(batch.image.shape[-1])
            return step(self, batch, index, *rest)

        return noting

    for stage in sizes:
        monkeypatch.setattr(QualityModule, f"{stage}_step", note(stage))
    once = replace(settings, epochs=1)
    fit(tmp_path / "run", data.sources, {"validation": data.images}, once, progress=False)
    assert sizes == {"training": {settings.size}, "validation": {SIZE}}
    assert settings.size < SIZE


def test_an_interrupted_run_goes_on_to_the_same_end(data, settings, short_run, interrupting, tmp_path):
    whole, _ = short_run
    run = tmp_path / "run"
    watched = {"validation": data.images, "held_out": data.images[:1]}
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(run, data.sources, watched, settings, progress=False, tell=interrupting)
    assert signal.getsignal(signal.SIGINT) is before
    assert torch.load(run / LAST_CHECKPOINT, weights_only=True)["epoch"] == 0
    told: list[str] = []
    best = fit(run, data.sources, watched, settings, progress=False, tell=told.append)
    assert [line.split(":")[0] for line in told] == ["epoch 2 of 2"]
    assert best == run / BEST_CHECKPOINT
    assert len(read_curve(run)) == 2
    for resumed, row in zip(read_curve(run), read_curve(whole), strict=True):
        for name, value in row.items():
            assert float(resumed[name]) == pytest.approx(float(value), rel=1e-3, nan_ok=True)
    resumed_weights = network_weights(run / LAST_CHECKPOINT)
    for name, value in network_weights(whole / LAST_CHECKPOINT).items():
        torch.testing.assert_close(resumed_weights[name], value, rtol=1e-3, atol=1e-3)


def test_a_finished_run_is_left_as_it_is(data, settings, short_run):
    run, _ = short_run
    before = (run / LAST_CHECKPOINT).stat().st_mtime_ns, read_curve(run)
    told: list[str] = []
    best = fit(run, data.sources, {"validation": data.images}, settings, progress=False, tell=told.append)
    assert best == run / BEST_CHECKPOINT
    assert not told
    assert ((run / LAST_CHECKPOINT).stat().st_mtime_ns, read_curve(run)) == before


def test_stored_images_train_from_given_weights(data, short_run, tmp_path):
    start = network_weights(short_run[0] / LAST_CHECKPOINT)
    settings = FitSettings(size=64, batch=3, epochs=1, images_per_epoch=3, learning_rate=0.0, workers=0)
    half = {name: value.half() for name, value in start.items() if value.ndim}
    fit(tmp_path, data.images, {"validation": data.images}, settings, start=half, progress=False)
    after = network_weights(tmp_path / LAST_CHECKPOINT)
    for name in ("conv1.weight", "layer4.2.se.fc2.weight", "fc.weight"):
        torch.testing.assert_close(after[name], start[name], rtol=1e-3, atol=1e-3)


def test_a_rival_learns_from_stored_images_and_begins_at_random_where_nothing_is_given(data, tmp_path):
    settings = FitSettings(
        size=64, batch=3, epochs=1, images_per_epoch=3, learning_rate=0.0, workers=0, network="squeezenet"
    )
    given = {"features.0.bias": torch.full((64,), 0.25)}
    best = fit(tmp_path, data.images, {"validation": data.images}, settings, start=given, progress=False)
    network = trained_network(best)
    assert isinstance(network, SqueezeNet)
    assert (network.features[0].bias == 0.25).all()
    assert network.features[3].squeeze.weight.std() > 0.01
    assert "artifact_loss" not in read_curve(tmp_path)[0]


@pytest.mark.system
def test_two_processes_train_one_network(data, tmp_path, capfd):
    settings = FitSettings(
        size=64, batch=2, epochs=1, images_per_epoch=8, workers=0, network="squeezenet", devices=2
    )
    sets = {"validation": data.images[:2]}
    best = fit(tmp_path / "run", data.sources, sets, settings, progress=False, tell=print)
    assert best == tmp_path / "run" / BEST_CHECKPOINT
    # Eight images are four pairs: two steps of a pair in each of two processes.
    assert torch.load(best, weights_only=True)["global_step"] == 2
    assert len(read_curve(best.parent)) == 1
    assert predict(best, data.images, size=64).probability_low.shape == (6,)
    told = capfd.readouterr()
    assert [line.partition(" loss ")[0] for line in told.out.splitlines()] == ["epoch 1 of 1:"]
    for chatter in ("GLOBAL_RANK", "distributed_backend", "Warning"):
        assert chatter not in told.err


def test_what_does_not_fill_a_batch_is_refused(data, tmp_path):
    with pytest.raises(ValueError, match="at least 2 images"):
        FitSettings(batch=1)
    with pytest.raises(ValueError, match="has no batch of 10"):
        FitSettings(images_per_epoch=9)
    with pytest.raises(ValueError, match="no batch of 10 for each of 4 devices"):
        FitSettings(images_per_epoch=39, devices=4)
    with pytest.raises(ValueError, match="6 images to train on do not fill a batch of 10"):
        fit(tmp_path, data.images, {"validation": data.images}, FitSettings(size=64), progress=False)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX priorities")
def test_processes_that_make_images_leave_the_others_their_turn():
    with get_context("spawn").Pool(1, _step_back, (0,)) as pool:
        assert pool.apply(os.nice, (0,)) == 19
        assert {library["num_threads"] for library in pool.apply(threadpool_info)} == {1}


def test_a_run_that_was_moved_knows_its_best_epoch(short_run, tmp_path):
    run, _ = short_run
    state = torch.load(run / LAST_CHECKPOINT, weights_only=True)["callbacks"]
    (saved,) = (each for name, each in state.items() if "'monitor': 'validation_auc'" in name)
    best = _Best(tmp_path, "best", monitor="validation_auc", mode="max", enable_version_counter=False)
    best.load_state_dict(saved)
    assert best.best_model_score == saved["best_model_score"]
    assert best.best_model_path == best.kth_best_model_path == str(tmp_path / BEST_CHECKPOINT)
    assert list(best.best_k_models) == [str(tmp_path / BEST_CHECKPOINT)]
