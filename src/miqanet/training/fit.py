"""Fit MIQANet: settings in, a folder with checkpoints, logs and the best weights out; resumes after a kill."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

from miqanet.artifacts import KINDS
from miqanet.database.records import ImageRecord, SourceRecord
from miqanet.preprocessing import SIZE
from miqanet.training.curve import Curve
from miqanet.training.data import FreshIndices, FreshPairs, Sample, StoredImages, collate
from miqanet.training.hardware import accelerator
from miqanet.training.module import QualityModule
from miqanet.training.quiet import quiet_lightning

LAST_CHECKPOINT = "last.ckpt"
BEST_CHECKPOINT = "best.ckpt"


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How to train; batch size and loss are the paper's, the rest is ours."""

    size: int = 512
    batch: int = 10
    epochs: int = 30
    images_per_epoch: int = 3000
    """With fresh artifacts; with stored images an epoch is all of them."""
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    workers: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.batch < 2:
            raise ValueError(
                f"a batch has at least 2 images, not {self.batch}: batch normalization needs them"
            )
        if self.images_per_epoch < self.batch:
            raise ValueError(f"an epoch of {self.images_per_epoch} images has no batch of {self.batch}")


def fit(
    run: Path,
    training: Sequence[SourceRecord] | Sequence[ImageRecord],
    watched: Mapping[str, Sequence[ImageRecord]],
    settings: FitSettings,
    *,
    start: Mapping[str, torch.Tensor] | None = None,
    progress: bool = True,
    tell: Callable[[str], None] = lambda _line: None,
) -> Path:
    """Train and return the best checkpoint.

    Args:
        run: folder of this run; a checkpoint found in it is resumed.
        training: clean slices to spoil afresh every epoch, or stored images with labels.
        watched: stored images to validate on by name, at full size whatever the size of training; the first
            decides which epoch is the best.
        settings: how to train.
        start: weights of `MIQANet` to begin with instead of random ones.
        progress: whether to show a progress bar.
        tell: takes a line with the watched figures after each epoch.

    Raises:
        ValueError: the images to train on do not fill a batch.
        KeyboardInterrupt: the run was interrupted; called again, it goes on after the last finished epoch.
    """
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    run.mkdir(parents=True, exist_ok=True)
    module = QualityModule(KINDS, settings.learning_rate, settings.weight_decay, tuple(watched))
    if start is not None:
        module.network.load_state_dict({name: value.float() for name, value in start.items()})
    module.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch has it
    monitor = f"{next(iter(watched))}_auc"
    best = ModelCheckpoint(run, "best", monitor=monitor, mode="max", enable_version_counter=False)
    last = ModelCheckpoint(
        run, "last", every_n_epochs=1, save_on_train_epoch_end=True, enable_version_counter=False
    )
    loader = _training_loader(training, settings)
    callbacks: list[Callback] = [EMAWeightAveraging(decay=_decay(len(loader))), Curve(run, tell), best, last]
    if progress:
        callbacks.append(RichProgressBar(console_kwargs={"stderr": True}))
    checkpoint = run / LAST_CHECKPOINT
    with quiet_lightning():
        trainer = lightning.Trainer(
            default_root_dir=run,
            accelerator=accelerator(),
            devices=1,
            max_epochs=settings.epochs,
            precision="bf16-mixed",
            callbacks=callbacks,
            logger=TensorBoardLogger(run, "tensorboard", ""),
            enable_progress_bar=progress,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=1,
        )
        try:
            trainer.fit(
                module,
                loader,
                [
                    _loader(StoredImages(images, KINDS, SIZE), settings, shuffle=False)
                    for images in watched.values()
                ],
                ckpt_path=checkpoint if checkpoint.exists() else None,
                weights_only=True,
            )
        except SystemExit:
            # Lightning makes an exit of Ctrl-C and ignores further ones; how to end is the caller's to say.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            raise KeyboardInterrupt from None
    return Path(best.best_model_path)


def _decay(steps: int) -> float:
    """Average the weights over about half an epoch's steps."""
    return 1 - 1 / max(2.0, steps / 2)


def _training_loader(
    training: Sequence[SourceRecord] | Sequence[ImageRecord], settings: FitSettings
) -> DataLoader[Sample]:
    images = [record for record in training if isinstance(record, ImageRecord)]
    if images:
        if len(images) < settings.batch:
            raise ValueError(f"{len(images)} images to train on do not fill a batch of {settings.batch}")
        return _loader(StoredImages(images, KINDS, settings.size), settings, shuffle=True)
    sources = [record for record in training if isinstance(record, SourceRecord)]
    pairs = math.ceil(settings.images_per_epoch / 2)
    return _loader(FreshPairs(sources, KINDS, settings.size, pairs, settings.seed), settings, shuffle=False)


def _loader(
    dataset: StoredImages | FreshPairs, settings: FitSettings, *, shuffle: bool
) -> DataLoader[Sample]:
    fresh = isinstance(dataset, FreshPairs)
    return DataLoader(
        dataset,
        batch_size=max(1, settings.batch // 2) if fresh else settings.batch,
        shuffle=shuffle,
        sampler=FreshIndices(len(dataset)) if fresh else None,
        # Batch normalization cannot learn from a last batch of one.
        drop_last=shuffle or fresh,
        num_workers=settings.workers,
        collate_fn=collate,
    )


def network_weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    """Return the averaged weights of `MIQANet` in a checkpoint of `fit`.

    Raises:
        FileNotFoundError: there is no such checkpoint; the run has not finished an epoch.
    """
    if not checkpoint.is_file():
        raise FileNotFoundError(
            f"{checkpoint.parent} holds no {checkpoint.name}: it has not finished an epoch"
        )
    content: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    prefix = "network."
    state = content["state_dict"]
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
