from __future__ import annotations

import pytest
import torch
from torch import nn

from miqanet.networks.vgg import VGG16


@pytest.fixture(scope="module")
def published() -> VGG16:
    """The network of ImageNet, without memory for its weights."""
    with torch.device("meta"):
        return VGG16(channels=3, classes=1000)


def test_parameters_are_those_published(published):
    assert sum(parameter.numel() for parameter in published.parameters()) == 138_357_544


def test_layers_have_the_published_names(published):
    convolutions = [f"features.{place}" for place in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)]
    connected = [f"classifier.{place}" for place in (0, 3, 6)]
    assert list(published.state_dict()) == [
        f"{layer}.{kind}" for layer in convolutions + connected for kind in ("weight", "bias")
    ]
    assert not any(isinstance(module, nn.BatchNorm2d) for module in published.modules())


@pytest.mark.parametrize("size", [128, 224, 512])
def test_images_of_any_size_get_their_logits(size):
    with torch.device("meta"):
        assert VGG16()(torch.empty(3, 1, size, size)).shape == (3, 2)


def test_the_signal_neither_fades_nor_explodes_on_its_way():
    torch.manual_seed(0)
    network = VGG16().eval()
    with torch.inference_mode():
        maps = network.features(torch.rand(1, 1, 64, 64))
        assert 0.01 < float(maps.std()) < 100
        assert network.classifier(network.avgpool(maps).flatten(1)).isfinite().all()
