"""Weights of ImageNet, from a file that the user has, made fit for gray images and two classes.

Nothing is downloaded: a path to a state dict with torchvision's names, `.pth` or `.safetensors`, is all it takes.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from miqanet.networks.registry import architecture, make_network

_OF_MIQANET = (".se.", "artifact_fc.")
"""Parts of names that a plain ResNet-34 does not have and MIQANet begins at random."""

_COUNTER = ".num_batches_tracked"
"""Of normalization layers; older checkpoints do without, and nothing is computed from it here."""


def pretrained_weights(path: Path, network: str) -> dict[str, Tensor]:
    """Return the weights that a network of one channel and two classes can begin with.

    The first convolution's weights are summed over red, green and blue: on a gray image that gives what the three
    equal channels would have given. A classifier of other classes is left out, to begin at random.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no checkpoint, or one of another network.
    """
    chosen = architecture(network)
    weights = read_checkpoint(path)
    own = {name: value.shape for name, value in make_network(network).state_dict().items()}
    first = f"{chosen.first_convolution}.weight"
    if first in weights and weights[first].ndim == 4:
        weights[first] = weights[first].sum(1, keepdim=True)
    for name in (f"{chosen.classifier}.weight", f"{chosen.classifier}.bias"):
        if name in weights and weights[name].shape != own.get(name):
            del weights[name]
    optional = (*_OF_MIQANET, f"{chosen.classifier}.", _COUNTER)
    missing = [name for name in own if name not in weights and not any(part in name for part in optional)]
    unfit = [name for name, value in weights.items() if value.shape != own.get(name)]
    if missing or unfit:
        raise ValueError(f"{path} holds no weights of {network}: see its {(missing + unfit)[0]}")
    return weights


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Return the state dict of a `.safetensors` file, or of one that `torch.save` wrote, without running its code.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds something else.
    """
    try:
        if path.suffix == ".safetensors":
            content = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, RuntimeError, EOFError, IsADirectoryError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0] or "it is empty"
        raise ValueError(f"{path} is no checkpoint: {reason}") from error
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise ValueError(f"{path} is no checkpoint: it holds other things than named weights")
    return dict(content)
