"""VGG-16: thirteen 3 x 3 convolutions and three fully connected layers (Simonyan and Zisserman, ICLR 2015).

Configuration D of their table 1, without batch normalization: a rival in Table I of Chen et al. (VCIP 2022). Layer
names are torchvision's, so that checkpoints of ImageNet load.
"""

from __future__ import annotations

from torch import Tensor, nn

_CONFIGURATION_D = (
    (64, 64),
    (128, 128),
    (256, 256, 256),
    (512, 512, 512),
    (512, 512, 512),
)
"""Channels of the convolutions before each pooling."""


class VGG16(nn.Module):
    """The published network; features of any size are pooled to 7 x 7, those of the 224-pixel original."""

    def __init__(self, channels: int = 1, classes: int = 2) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = channels
        for stage in _CONFIGURATION_D:
            for outputs in stage:
                layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
                inputs = outputs
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]  # these convolutions have one
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, H, W), from 32 pixels on -> logits (N, classes)."""
        x = self.features(image)  # (N, 512, H/32, W/32)
        x = self.avgpool(x).flatten(1)  # (N, 25088)
        logits: Tensor = self.classifier(x)
        return logits
