"""Fit a network: settings in, a folder with checkpoints, logs and the best weights out; resumes after a kill."""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from threadpoolctl import threadpool_limits
from torch.utils.data import DataLoader, Dataset

from miqanet.artifacts import KINDS
from miqanet.database.records import ImageRecord, SourceRecord
from miqanet.networks import architecture
from miqanet.preprocessing import SIZE
from miqanet.training.average import WeightAverage
from miqanet.training.checkpoints import BEST_CHECKPOINT, LAST_CHECKPOINT
from miqanet.training.curve import Curve
from miqanet.training.data import EpochIndices, FreshPairs, Sample, StoredImages, VariedImages, collate
from miqanet.training.hardware import accelerator, reduced_precision
from miqanet.training.module import QualityModule
from miqanet.training.quiet import QuietDDP, quiet_lightning

_WATCHED = 200

_COURTESY = 19
"""The lowest priority."""

_PRECISION: dict[torch.dtype, Literal["bf16-mixed", "16-mixed", "32-true"]] = {
    torch.bfloat16: "bf16-mixed",
    torch.float16: "16-mixed",
    torch.float32: "32-true",
}


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
    """Processes a device that make images."""
    seed: int = 0
    network: str = "miqanet"
    """A name from `miqanet.networks.NETWORKS`."""
    devices: int = 1
    """Graphics cards, or processes on a processor, that train side by side, each on batches of its own."""

    def __post_init__(self) -> None:
        if self.batch < 2:
            raise ValueError(
                f"a batch has at least 2 images, not {self.batch}: batch normalization needs them"
            )
        if self.images_per_epoch < self.batch * self.devices:
            raise ValueError(
                f"an epoch of {self.images_per_epoch} images has no batch of {self.batch}"
                + (f" for each of {self.devices} devices" if self.devices > 1 else "")
            )
        architecture(self.network)


def to_watch(images: Sequence[ImageRecord]) -> list[ImageRecord]:
    """Return some 100 to 200 of the images, evenly of each class: enough to choose an epoch by, and soon judged."""
    step = len(images) // _WATCHED + 1
    classes = ([place for place, image in enumerate(images) if image.low is low] for low in (False, True))
    return [images[place] for place in sorted(place for each in classes for place in each[::step])]


def _say_nothing(_line: str) -> None:
    pass


def fit(
    run: Path,
    training: Sequence[SourceRecord] | Sequence[ImageRecord],
    watched: Mapping[str, Sequence[ImageRecord]],
    settings: FitSettings,
    *,
    start: Mapping[str, torch.Tensor] | None = None,
    watched_size: int = SIZE,
    progress: bool = True,
    tell: Callable[[str], None] = _say_nothing,
) -> Path:
    """Train and return the best checkpoint.

    Args:
        run: folder of this run; a checkpoint found in it is resumed.
        training: clean slices to spoil afresh every epoch, or stored images with labels.
        watched: stored images to validate on by name; the first decides which epoch is the best.
        settings: how to train.
        start: weights of the network to begin with; what they lack begins at random.
        watched_size: side of their input in pixels: full size whatever the size of training, unless the network is
            to be used at another.
        progress: whether to show a progress bar.
        tell: takes a line with the watched figures after each epoch; with several devices it travels to the
            first one's process, so it has to be a function that can be pickled.

    Raises:
        ValueError: the images to train on do not fill a batch.
        KeyboardInterrupt: the run was interrupted; called again, it goes on after the last finished epoch.
    """
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    run.mkdir(parents=True, exist_ok=True)
    kinds = KINDS if architecture(settings.network).names_artifacts else ()
    module = QualityModule(
        kinds, settings.learning_rate, settings.weight_decay, tuple(watched), settings.network
    )
    if start is not None:
        given = {name: value.float() for name, value in start.items()}
        module.network.load_state_dict({**module.network.state_dict(), **given})
    module.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch has it
    monitor = f"{next(iter(watched))}_auc"
    best = _Best(run, "best", monitor=monitor, mode="max", enable_version_counter=False)
    last = ModelCheckpoint(
        run, "last", every_n_epochs=1, save_on_train_epoch_end=True, enable_version_counter=False
    )
    loader = _training_loader(training, kinds, settings)
    average = WeightAverage(accelerator(), len(loader) // settings.devices)
    callbacks: list[Callback] = [average, Curve(run, tell), best, last]
    if progress:
        callbacks.append(RichProgressBar(console_kwargs={"stderr": True}))
    checkpoint = run / LAST_CHECKPOINT
    with quiet_lightning():
        trainer = lightning.Trainer(
            default_root_dir=run,
            accelerator=accelerator(),
            devices=settings.devices,
            strategy=QuietDDP() if settings.devices > 1 else "auto",
            # Indices are dealt out by their sampler; what is watched, every process judges whole.
            use_distributed_sampler=False,
            max_epochs=settings.epochs,
            precision=_PRECISION[reduced_precision()],
            benchmark=True,
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
                    _loader(StoredImages(images, kinds, watched_size), settings.batch, settings)
                    for images in watched.values()
                ],
                ckpt_path=checkpoint if checkpoint.exists() else None,
                weights_only=True,
            )
        except SystemExit:
            # Lightning makes an exit of Ctrl-C and ignores further ones; how to end is the caller's to say.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            raise KeyboardInterrupt from None
    return run / BEST_CHECKPOINT


class _Best(ModelCheckpoint):
    """Keeps the best epoch; unlike Lightning's own, it knows that one again in a folder that was moved."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where the run was, in the folder where it is now."""

        def here(path: str) -> str:
            return str(Path(self.dirpath or "") / Path(path).name) if path else path

        kept = {here(path): score for path, score in state_dict["best_k_models"].items()}
        paths = {name: here(state_dict[name]) for name in ("best_model_path", "kth_best_model_path")}
        super().load_state_dict({**state_dict, **paths, "best_k_models": kept, "dirpath": self.dirpath})


def _training_loader(
    training: Sequence[SourceRecord] | Sequence[ImageRecord], kinds: Sequence[str], settings: FitSettings
) -> DataLoader[Sample]:
    images = [record for record in training if isinstance(record, ImageRecord)]
    if images:
        if len(images) < settings.batch * settings.devices:
            raise ValueError(f"{len(images)} images to train on do not fill a batch of {settings.batch}")
        varied = VariedImages(images, kinds, settings.size, settings.seed)
        return _loader(varied, settings.batch, settings, EpochIndices(len(varied), settings.seed))
    sources = [record for record in training if isinstance(record, SourceRecord)]
    number = math.ceil(settings.images_per_epoch / 2)
    pairs = FreshPairs(sources, kinds, settings.size, number, settings.seed)
    return _loader(pairs, settings.batch // 2, settings, EpochIndices(number, settings.seed))


def _loader(
    dataset: Dataset[Sample], batch: int, settings: FitSettings, indices: EpochIndices | None = None
) -> DataLoader[Sample]:
    """Return what loads all samples in order, or those of `indices` to learn from."""
    return DataLoader(
        dataset,
        batch_size=batch,
        sampler=indices,
        # Batch normalization cannot learn from a last batch of one.
        drop_last=indices is not None,
        num_workers=settings.workers,
        collate_fn=collate,
        worker_init_fn=_step_back,
        pin_memory=accelerator() == "cuda",
        persistent_workers=indices is not None and settings.workers > 0,
    )


def _step_back(_worker: int) -> None:
    """Let a process that makes images use what those that train leave, in one thread.

    The threads of a network on a processor wait for one another: each turn that another process takes costs all of
    them. With this, training beside it took two thirds of the time.
    """
    threadpool_limits(1)
    if sys.platform != "win32":
        os.nice(_COURTESY)
