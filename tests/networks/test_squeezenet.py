from __future__ import annotations

import pytest
import torch

from miqanet.networks.squeezenet import SqueezeNet


@pytest.fixture(scope="module")
def published() -> SqueezeNet:
    with torch.device("meta"):
        return SqueezeNet(channels=3, classes=1000)


def test_parameters_are_those_published(published):
    assert sum(parameter.numel() for parameter in published.parameters()) == 1_235_496


def test_layers_have_the_published_names(published):
    fires = [
        f"features.{place}.{part}"
        for place in (3, 4, 6, 7, 9, 10, 11, 12)
        for part in ("squeeze", "expand1x1", "expand3x3")
    ]
    assert list(published.state_dict()) == [
        f"{layer}.{kind}" for layer in ("features.0", *fires, "classifier.1") for kind in ("weight", "bias")
    ]


@pytest.mark.parametrize("size", [64, 128, 512])
def test_images_of_any_size_get_their_logits(size):
    with torch.device("meta"):
        assert SqueezeNet()(torch.empty(3, 1, size, size)).shape == (3, 2)


def test_every_weight_learns():
    torch.manual_seed(0)
    network = SqueezeNet()
    network(torch.rand(4, 1, 64, 64)).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
