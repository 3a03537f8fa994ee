"""Make a trained network fit to ship: an int8 model for the engine and half-precision weights for fine-tuning."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from miqanet.networks import MIQANet, MIQANetSettings
from miqanet.preprocessing import SIZE

MODEL_FILE = "miqanet.xml"
HALF_PRECISION_FILE = "miqanet.safetensors"

OUTPUTS = ("probabilities", "artifacts", "activation_map")
"""(N, 2) softmax over high and low; (N, kinds) sigmoid; (N, 16, 16) map of low minus high."""

_DELICATE_TYPES = ["Add", "Multiply"]
"""Operations that stay in half precision beside those of `_delicate`: in the sums that blocks add to, errors would
gather from block to block, and squeeze-and-excitation multiplies whole channels."""


class _Judge(nn.Module):
    """The network with its softmax and sigmoid, as the engine runs it."""

    def __init__(self, network: MIQANet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        quality, artifacts, activation_map = self.network(image)
        return quality.softmax(1), artifacts.sigmoid(), activation_map


def load_network(weights: Mapping[str, Tensor], kinds: Iterable[str]) -> MIQANet:
    """Return MIQANet with these weights, in single precision, ready to judge."""
    network = MIQANet(MIQANetSettings(artifact_kinds=tuple(kinds)))
    network.load_state_dict({name: value.float() for name, value in weights.items()})
    return network.eval()


def read_half_precision(folder: Path) -> dict[str, Tensor]:
    """Return the weights that `save_half_precision` wrote into a folder.

    Raises:
        FileNotFoundError: there are none.
        ValueError: the file is damaged.
    """
    path = folder / HALF_PRECISION_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{folder} holds no {HALF_PRECISION_FILE}")
    try:
        weights: dict[str, Tensor] = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    return weights


def save_half_precision(network: MIQANet, folder: Path) -> None:
    """Write the weights in float16 (safetensors), for fine-tuning."""
    state = {name: value.half().contiguous() for name, value in network.state_dict().items() if value.ndim}
    # Not by `save_file`, which lets nobody but its user read the file.
    (folder / HALF_PRECISION_FILE).write_bytes(save(state))


def save_engine_model(network: MIQANet, examples: Sequence[NDArray[np.float32]], folder: Path) -> None:
    """Quantize the network after training and write it as OpenVINO IR with int8 weights.

    Args:
        network: trained, in evaluation mode.
        examples: prepared training images, (512, 512) each, from which NNCF takes the range of activations.
        folder: where `miqanet.xml` and `miqanet.bin` go.
    """
    # Both packages would report to a server; barring the reporter's import makes them use their stubs.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import nncf
    import openvino

    with warnings.catch_warnings():
        # OpenVINO traces; torch 2.13 would rather have its own export format.
        warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is deprecated")
        model = openvino.convert_model(_Judge(network), example_input=torch.zeros(1, 1, SIZE, SIZE))
    model.inputs[0].get_tensor().set_names({"image"})
    for output, name in zip(model.outputs, OUTPUTS, strict=True):
        output.get_tensor().set_names({name})
    model.reshape({"image": [-1, 1, SIZE, SIZE]})
    calibration: Any = nncf.Dataset([image[None, None] for image in examples])
    quantized = nncf.quantize(
        model,
        calibration,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(examples),
        # Layer by layer, with what the quantized layers before it give: slower, and nearer to the network.
        fast_bias_correction=False,
        ignored_scope=nncf.IgnoredScope(names=_delicate(model), types=_DELICATE_TYPES),
    )
    openvino.save_model(quantized, folder / MODEL_FILE, compress_to_fp16=True)


def _delicate(model: Any) -> list[str]:
    """Return the names of what stays in half precision: little to compute, much to spoil.

    The first convolution sees the image itself; squeeze-and-excitation and the heads work on a few averages,
    and each of those scales or decides for the whole image.
    """
    weighing = [op for op in model.get_ordered_ops() if op.get_type_name() in ("Convolution", "MatMul")]
    first, *others = weighing
    averages = [op for op in others if _pixels(op) == 1]
    return [op.get_friendly_name() for op in (first, *averages)]


def _pixels(operation: Any) -> int:
    """Return the number of places of each of an operation's output channels."""
    places = list(operation.get_output_partial_shape(0))[2:]
    return math.prod(place.get_length() for place in places)
