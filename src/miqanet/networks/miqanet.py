"""MIQANet: ResNet-34 with squeeze-and-excitation, from an MR image to low or high diagnostic quality.

Chen et al., "MRIQA: Subjective Method and Objective Model for Magnetic Resonance Image Quality Assessment", VCIP
2022, section III: a residual network of 34 layers (He et al., CVPR 2016) with a squeeze-and-excitation module (Hu
et al., CVPR 2018) in every residual block, 512 x 512 input, global average pooling, a fully connected layer and
softmax over two classes. One gray channel. Layer names are the field's (torchvision's), so that checkpoints of a
plain ResNet-34 load into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


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


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut, with squeeze-and-excitation before the two are added."""

    def __init__(self, inputs: int, outputs: int, stride: int, reduction: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.se = SqueezeExcitation(outputs, reduction)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H/stride, W/stride)."""
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.se(self.bn2(self.conv2(y)))
        return functional.relu(y + self.downsample(x), inplace=True)


class MIQANet(nn.Module):
    """The paper's network."""

    def __init__(self, settings: MIQANetSettings | None = None) -> None:
        super().__init__()
        self.settings = settings = settings or MIQANetSettings()
        self.conv1 = nn.Conv2d(settings.channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self._stage(64, 64, blocks=3, stride=1)
        self.layer2 = self._stage(64, 128, blocks=4, stride=2)
        self.layer3 = self._stage(128, 256, blocks=6, stride=2)
        self.layer4 = self._stage(256, 512, blocks=3, stride=2)
        self.fc = nn.Linear(512, settings.classes)
        self.artifact_fc = nn.Linear(512, len(settings.artifact_kinds)) if settings.artifact_kinds else None
        self._initialize()

    def _stage(self, inputs: int, outputs: int, blocks: int, stride: int) -> nn.Sequential:
        reduction = self.settings.reduction
        first = BasicBlock(inputs, outputs, stride, reduction)
        return nn.Sequential(first, *(BasicBlock(outputs, outputs, 1, reduction) for _ in range(blocks - 1)))

    def _initialize(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, BasicBlock):
                # Every block starts as its shortcut (Goyal et al. 2017, section 5.1), which steadies early epochs.
                nn.init.zeros_(module.bn2.weight)

    def forward(self, image: Tensor) -> Output:
        """Judge images (N, channels, H, W) with values in 0..1; the paper's size is 512 x 512."""
        x = functional.relu(self.bn1(self.conv1(image)), inplace=True)  # (N,  64, H/2,  W/2)
        x = self.maxpool(x)  # (N,  64, H/4,  W/4)
        x = self.layer1(x)  # (N,  64, H/4,  W/4)
        x = self.layer2(x)  # (N, 128, H/8,  W/8)
        x = self.layer3(x)  # (N, 256, H/16, W/16)
        x = self.layer4(x)  # (N, 512, H/32, W/32)
        pooled = x.mean((2, 3))  # (N, 512)
        artifacts = self.artifact_fc(pooled) if self.artifact_fc is not None else pooled[:, :0]
        # Pooling and the last layer are both linear: they commute, so the map below is exact, not an estimate.
        low_minus_high = self.fc.weight[1] - self.fc.weight[0]
        activation_map = torch.einsum("nchw,c->nhw", x, low_minus_high)
        return Output(self.fc(pooled), artifacts, activation_map)
