"""Checkpoints of `fit`: which network they hold, and its averaged weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from miqanet.networks import make_network

LAST_CHECKPOINT = "last.ckpt"
BEST_CHECKPOINT = "best.ckpt"

_PREFIX = "network."


def network_weights(checkpoint: Path) -> dict[str, Tensor]:
    """Return the averaged weights of the network in a checkpoint of `fit`.

    Raises:
        FileNotFoundError: there is no such checkpoint; the run has not finished an epoch.
    """
    return _weights(_read(checkpoint))


def trained_network(checkpoint: Path) -> nn.Module:
    """Return the network of a checkpoint with its averaged weights, in evaluation mode.

    Raises:
        FileNotFoundError: there is no such checkpoint; the run has not finished an epoch.
    """
    content = _read(checkpoint)
    settings = content["hyper_parameters"]
    # Checkpoints of before there was a choice hold MIQANet and do not say so.
    network = make_network(settings.get("network", "miqanet"), artifact_kinds=settings["kinds"])
    network.load_state_dict(_weights(content))
    return network.eval()


def _read(checkpoint: Path) -> dict[str, Any]:
    if not checkpoint.is_file():
        raise FileNotFoundError(
            f"{checkpoint.parent} holds no {checkpoint.name}: it has not finished an epoch"
        )
    content: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return content


def _weights(content: dict[str, Any]) -> dict[str, Tensor]:
    state = content["state_dict"]
    return {name.removeprefix(_PREFIX): value for name, value in state.items() if name.startswith(_PREFIX)}
