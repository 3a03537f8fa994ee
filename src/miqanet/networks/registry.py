"""The networks of Table I of Chen et al. (VCIP 2022) by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from miqanet.networks.miqanet import MIQANet, MIQANetSettings, Output
from miqanet.networks.resnet import ResNet34
from miqanet.networks.squeezenet import SqueezeNet
from miqanet.networks.vgg import VGG16


def _miqanet(channels: int, classes: int, artifact_kinds: tuple[str, ...] = ()) -> MIQANet:
    return MIQANet(MIQANetSettings(channels, classes, artifact_kinds=artifact_kinds))


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network that can be trained, and what training has to know of it."""

    make: Callable[..., nn.Module]
    """Takes the number of `channels` and of `classes`."""

    first_convolution: str
    """Name of the layer that takes the image."""

    classifier: str
    """Name of the layer that gives the logits of the classes."""

    learning_rate: float
    """Peak of AdamW's learning rate from random weights."""

    names_artifacts: bool = False
    """Whether `make` takes `artifact_kinds` too, for a second head."""


NETWORKS = {
    "miqanet": Architecture(_miqanet, "conv1", "fc", 1e-3, names_artifacts=True),
    "resnet34": Architecture(ResNet34, "conv1", "fc", 1e-3),
    # Without normalization, they learn sooner and more steadily at smaller rates.
    "vgg16": Architecture(VGG16, "features.0", "classifier.6", 1e-4),
    "squeezenet": Architecture(SqueezeNet, "features.0", "classifier.1", 3e-4),
}


def architecture(name: str) -> Architecture:
    """Return a network of `NETWORKS`.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in NETWORKS:
        raise ValueError(f"no network is called {name}; there are {', '.join(NETWORKS)}")
    return NETWORKS[name]


def make_network(
    name: str, *, channels: int = 1, classes: int = 2, artifact_kinds: Sequence[str] = ()
) -> nn.Module:
    """Return a network with random weights.

    MIQANet answers with an `Output`, the others with logits (N, classes).

    Raises:
        ValueError: there is no such network, or it has no head that names artifacts.
    """
    chosen = architecture(name)
    if not artifact_kinds:
        return chosen.make(channels, classes)
    if not chosen.names_artifacts:
        raise ValueError(f"{name} has no head that names artifacts")
    return chosen.make(channels, classes, tuple(artifact_kinds))


def judge(network: nn.Module, image: Tensor) -> tuple[Tensor, Tensor]:
    """Return what any of the networks says of images (N, channels, H, W).

    Returns:
        Logits of the classes, (N, classes), and of artifacts, (N, kinds): none where a network names none.
    """
    answer: Output | Tensor = network(image)
    return (answer.quality, answer.artifacts) if isinstance(answer, Output) else (answer, answer[:, :0])
