"""ResNet-34: thirty-four layers that learn what to add to a shortcut (He et al., CVPR 2016, table 1).

The residual part of MIQANet, and by itself one of its rivals in Table I of Chen et al. (VCIP 2022). Layer names are
torchvision's, so that checkpoints of ImageNet load.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

Excitation = Callable[[int], nn.Module]
"""Makes, for so many channels, what weighs them at the end of a residual branch; no channel by default."""


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int, excitation: Excitation = nn.Identity) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.se = excitation(outputs)
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


class ResidualFeatures(nn.Module):
    """ResNet-34 up to its last feature maps: a stem and four stages of residual blocks."""

    def __init__(self, channels: int, excitation: Excitation = nn.Identity) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = _stage(64, 64, 3, 1, excitation)
        self.layer2 = _stage(64, 128, 4, 2, excitation)
        self.layer3 = _stage(128, 256, 6, 2, excitation)
        self.layer4 = _stage(256, 512, 3, 2, excitation)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, BasicBlock):
                # Every block starts as its shortcut (Goyal et al. 2017, section 5.1), which steadies early epochs.
                nn.init.zeros_(module.bn2.weight)

    def features(self, image: Tensor) -> Tensor:
        """(N, channels, H, W) -> (N, 512, H/32, W/32)."""
        x = functional.relu(self.bn1(self.conv1(image)), inplace=True)  # (N,  64, H/2,  W/2)
        x = self.maxpool(x)  # (N,  64, H/4,  W/4)
        x = self.layer1(x)  # (N,  64, H/4,  W/4)
        x = self.layer2(x)  # (N, 128, H/8,  W/8)
        x = self.layer3(x)  # (N, 256, H/16, W/16)
        maps: Tensor = self.layer4(x)  # (N, 512, H/32, W/32)
        return maps


def _stage(inputs: int, outputs: int, blocks: int, stride: int, excitation: Excitation) -> nn.Sequential:
    first = BasicBlock(inputs, outputs, stride, excitation)
    return nn.Sequential(first, *(BasicBlock(outputs, outputs, 1, excitation) for _ in range(blocks - 1)))


class ResNet34(ResidualFeatures):
    """The published network."""

    def __init__(self, channels: int = 1, classes: int = 2) -> None:
        super().__init__(channels)
        self.fc = nn.Linear(512, classes)

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, H, W) -> logits (N, classes)."""
        logits: Tensor = self.fc(self.features(image).mean((2, 3)))
        return logits
