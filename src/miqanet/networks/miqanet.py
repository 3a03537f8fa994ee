"""MIQANet: ResNet-34 with squeeze-and-excitation, from an MR image to low or high diagnostic quality.

Chen et al., "MRIQA: Subjective Method and Objective Model for Magnetic Resonance Image Quality Assessment", VCIP
2022, section III: a residual network of 34 layers (He et al., CVPR 2016) with a squeeze-and-excitation module (Hu
et al., CVPR 2018) in every residual block, 512 x 512 input, global average pooling, a fully connected layer and
softmax over two classes. One gray channel. Layer names are the field's (torchvision's), so that checkpoints of a
plain ResNet-34 load into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from miqanet.networks.resnet import ResidualFeatures


@dataclass(frozen=True, slots=True)
class MIQANetSettings:
    """What may be chosen; the defaults are the paper's network."""

    channels: int = 1
    classes: int = 2
    """Order of the classes: 0 high, 1 low."""

    reduction: int = 16
    """Squeeze-and-excitation bottleneck: channels are divided by this."""

    artifact_kinds: tuple[str, ...] = ()
    """Beyond the paper: kinds that a second, multi-label head names. Empty leaves the paper's network alone."""


class Output(NamedTuple):
    """What the network says of a batch of N images."""

    quality: Tensor
    """(N, classes) logits."""

    artifacts: Tensor
    """(N, kinds) logits, one a kind; (N, 0) without the head."""

    activation_map: Tensor
    """(N, H/32, W/32) class activation map: its mean plus the bias is the logit of low minus that of high."""


class SqueezeExcitation(nn.Module):
    """Weigh the channels by what the whole image holds (Hu et al., eq. 2-4)."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        squeezed = x.mean((2, 3), keepdim=True)
        weight = torch.sigmoid(self.fc2(functional.relu(self.fc1(squeezed))))
        return x * weight


class MIQANet(ResidualFeatures):
    """The paper's network: squeeze-and-excitation in every residual block, before the shortcut is added."""

    def __init__(self, settings: MIQANetSettings | None = None) -> None:
        settings = settings or MIQANetSettings()
        super().__init__(settings.channels, partial(SqueezeExcitation, reduction=settings.reduction))
        self.settings = settings
        self.fc = nn.Linear(512, settings.classes)
        self.artifact_fc = nn.Linear(512, len(settings.artifact_kinds)) if settings.artifact_kinds else None

    def forward(self, image: Tensor) -> Output:
        """Judge images (N, channels, H, W) with values in 0..1; the paper's size is 512 x 512."""
        x = self.features(image)  # (N, 512, H/32, W/32)
        pooled = x.mean((2, 3))  # (N, 512)
        artifacts = self.artifact_fc(pooled) if self.artifact_fc is not None else pooled[:, :0]
        # Pooling and the last layer are both linear: they commute, so the map below is exact, not an estimate.
        low_minus_high = self.fc.weight[1] - self.fc.weight[0]
        activation_map = torch.einsum("nchw,c->nhw", x, low_minus_high)
        return Output(self.fc(pooled), artifacts, activation_map)
