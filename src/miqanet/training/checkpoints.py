"""Weights that were learned: checkpoints of `fit`, with averaged weights of any network, and exported MIQANet."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from miqanet.artifacts import KINDS
from miqanet.networks import make_network
from miqanet.training.export import HALF_PRECISION_FILE, load_network, read_half_precision

LAST_CHECKPOINT = "last.ckpt"
BEST_CHECKPOINT = "best.ckpt"

_PREFIX = "network."


def weights_file(folder: Path) -> Path:
    """Return the file with the best weights of a run, or with those that were exported into a folder."""
    exported = folder / HALF_PRECISION_FILE
    return exported if exported.exists() else folder / BEST_CHECKPOINT


def weights_digest(folder: Path) -> str:
    """Return the SHA-256 of the best weights of a run, or of those that were exported into a folder.

    Raises:
        FileNotFoundError: the run has not finished an epoch.
    """
    path = _there(weights_file(folder))
    status = path.stat()
    return _digest(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=16)
def _digest(path: Path, _changed: int, _size: int) -> str:
    """Hash a file of hundreds of megabytes, which is asked for again and again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def network_weights(checkpoint: Path) -> dict[str, Tensor]:
    """Return the weights of a `weights_file` or of another checkpoint.

    Raises:
        FileNotFoundError: there is no such checkpoint; the run has not finished an epoch.
    """
    if checkpoint.name == HALF_PRECISION_FILE:
        return read_half_precision(checkpoint.parent)
    return _weights(_read(checkpoint))


def trained_network(checkpoint: Path) -> nn.Module:
    """Return the network of a `weights_file` or of another checkpoint, in evaluation mode.

    Raises:
        FileNotFoundError: there is no such checkpoint; the run has not finished an epoch.
    """
    if checkpoint.name == HALF_PRECISION_FILE:
        return load_network(read_half_precision(checkpoint.parent), KINDS)
    content = _read(checkpoint)
    settings = content["hyper_parameters"]
    # Checkpoints of before there was a choice hold MIQANet and do not say so.
    network = make_network(settings.get("network", "miqanet"), artifact_kinds=settings["kinds"])
    network.load_state_dict(_weights(content))
    return network.eval()


def _there(checkpoint: Path) -> Path:
    if not checkpoint.is_file():
        raise FileNotFoundError(
            f"{checkpoint.parent} holds no {checkpoint.name}: it has not finished an epoch"
        )
    return checkpoint


def _read(checkpoint: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(_there(checkpoint), map_location="cpu", weights_only=True)
    return content


def _weights(content: dict[str, Any]) -> dict[str, Tensor]:
    state = content["state_dict"]
    return {name.removeprefix(_PREFIX): value for name, value in state.items() if name.startswith(_PREFIX)}
