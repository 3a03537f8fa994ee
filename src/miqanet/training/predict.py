"""What a trained network says of images, on the device that trains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, Dataset

from miqanet.database.png import read_png
from miqanet.database.records import ImageRecord, SourceRecord
from miqanet.networks import judge
from miqanet.preprocessing import SIZE, prepare
from miqanet.training.checkpoints import trained_network
from miqanet.training.hardware import accelerator, reduced_precision
from miqanet.training.memory import keep_freed_memory


class Predictions(NamedTuple):
    """What a network says of N images."""

    probability_low: NDArray[np.float64]
    """(N,)"""

    artifacts: NDArray[np.float64]
    """(N, kinds) probability of each artifact; (N, 0) of networks that name none."""


class _Prepared(Dataset[torch.Tensor]):
    def __init__(self, records: Sequence[ImageRecord | SourceRecord], size: int) -> None:
        self._records, self._size = list(records), size

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.from_numpy(prepare(read_png(self._records[index].path), self._size)[None])


def predict(
    checkpoint: Path,
    records: Sequence[ImageRecord | SourceRecord],
    *,
    size: int = SIZE,
    batch: int = 16,
    workers: int = 0,
    doubt: float = 0.0,
) -> Predictions:
    """Judge images, (N,), by the averaged weights of a checkpoint of `fit`.

    Args:
        checkpoint: of any network.
        records: images of a database, or its clean slices.
        size: side of the input in pixels.
        batch: images judged side by side.
        workers: processes that read and prepare images; 0 does it in this one.
        doubt: images whose logit of low is nearer to 0 get a second look (`miqanet.preprocessing.DOUBT`).

    Raises:
        FileNotFoundError: there is no such checkpoint, or an image is missing.
        ValueError: there are no images.
    """
    if not records:
        raise ValueError("there is no image to judge")
    keep_freed_memory()
    device = accelerator()
    network = trained_network(checkpoint).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch has it
    reduced = reduced_precision()
    low, artifacts = [], []
    with torch.inference_mode(), torch.autocast(device, reduced, enabled=reduced is not torch.float32):
        for images in DataLoader(_Prepared(records, size), batch, num_workers=workers):
            seen = images.to(device, memory_format=torch.channels_last)
            logit, named = _look(network, seen)
            doubtful = logit.abs() < doubt
            if doubtful.any():
                turned = _look(network, seen[doubtful].flip(2, 3))
                logit[doubtful] = (logit[doubtful] + turned[0]) / 2
                named[doubtful] = (named[doubtful] + turned[1]) / 2
            low.append(logit.sigmoid().cpu().numpy())
            artifacts.append(named.cpu().numpy())
    return Predictions(np.concatenate(low), np.concatenate(artifacts))


def _look(network: nn.Module, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logit of low, (N,), and the probabilities of artifacts, (N, kinds)."""
    quality, named = judge(network, images)
    return (quality[:, 1] - quality[:, 0]).double(), named.double().sigmoid()
