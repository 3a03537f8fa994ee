"""What holds for every network that can be trained."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from miqanet.networks import NETWORKS, judge, make_network

EVERY = pytest.mark.parametrize("name", NETWORKS)


def test_the_networks_of_table_i_are_there():
    assert set(NETWORKS) == {"miqanet", "resnet34", "vgg16", "squeezenet"}


@EVERY
def test_a_network_is_gray_with_two_classes(name):
    with torch.device("meta"):
        network = make_network(name)
        quality, artifacts = judge(network, torch.empty(2, 1, 128, 128))
    assert quality.shape == (2, 2)
    assert artifacts.shape == (2, 0)


@EVERY
def test_first_and_last_layer_are_the_named_ones(name):
    with torch.device("meta"):
        network = make_network(name, channels=3, classes=7)
    first = network.get_submodule(NETWORKS[name].first_convolution)
    last = network.get_submodule(NETWORKS[name].classifier)
    assert first is next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    assert first.in_channels == 3
    assert last.weight.shape[0] == 7


@EVERY
def test_artifacts_are_named_where_there_is_a_head(name):
    kinds = ("motion", "noise", "zipper")
    with torch.device("meta"):
        if not NETWORKS[name].names_artifacts:
            with pytest.raises(ValueError, match=f"{name} has no head"):
                make_network(name, artifact_kinds=kinds)
            return
        _, artifacts = judge(make_network(name, artifact_kinds=kinds), torch.empty(2, 1, 64, 64))
    assert artifacts.shape == (2, 3)


def test_an_unknown_network_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no network is called alexnet; there are miqanet, resnet34"):
        make_network("alexnet")
