from __future__ import annotations

from types import SimpleNamespace

import torch

from miqanet.training.curve import LOG_FILE, Curve, read_curve


def trainer(epoch, **metrics):
    return SimpleNamespace(
        current_epoch=epoch,
        max_epochs=3,
        is_global_zero=True,
        callback_metrics={name: torch.tensor(value) for name, value in metrics.items()},
    )


def test_an_epoch_is_a_row_and_a_line(tmp_path):
    told = []
    curve = Curve(tmp_path, told.append)
    curve.on_train_start(trainer(0), None)
    curve.on_train_epoch_end(trainer(0, loss=0.75, validation_auc=0.5), None)
    curve.on_train_epoch_end(trainer(1, loss=0.5, validation_auc=0.875), None)
    assert told == [
        "epoch 1 of 3: loss 0.750, validation auc 0.500",
        "epoch 2 of 3: loss 0.500, validation auc 0.875",
    ]
    assert (tmp_path / LOG_FILE).read_text() == "epoch,loss,validation_auc\n1,0.75,0.5\n2,0.5,0.875\n"


def test_a_resumed_run_keeps_its_curve_and_makes_unfinished_epochs_again(tmp_path):
    first = Curve(tmp_path, lambda _: None)
    first.on_train_start(trainer(0), None)
    for epoch, loss in enumerate((3.0, 2.0)):
        first.on_train_epoch_end(trainer(epoch, loss=loss), None)
    resumed = Curve(tmp_path, lambda _: None)
    resumed.on_train_start(trainer(1), None)
    resumed.on_train_epoch_end(trainer(1, loss=1.5), None)
    assert [row["loss"] for row in read_curve(tmp_path)] == ["3", "1.5"]
    assert [row["epoch"] for row in read_curve(tmp_path)] == ["1", "2"]


def test_a_run_that_has_not_begun_has_no_curve(tmp_path):
    assert read_curve(tmp_path) == []
