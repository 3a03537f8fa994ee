"""The paper's network: its size, its names, and its exact activation map."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from miqanet.networks import MIQANet, MIQANetSettings
from miqanet.networks.miqanet import SqueezeExcitation
from miqanet.networks.resnet import BasicBlock

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
"""Channels and blocks of ResNet-34 (He et al., CVPR 2016, table 1)."""

RESNET34_PARAMETERS = 21_797_672
"""Of ResNet-34 with three channels and 1000 classes."""


@pytest.fixture(scope="module")
def network() -> MIQANet:
    torch.manual_seed(0)
    return randomized(MIQANet())


def randomized(network: MIQANet) -> MIQANet:
    """Give normalization layers something to do: a block starts as its shortcut."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.2, 0.8)
            nn.init.normal_(module.bias, 0, 0.1)
            nn.init.normal_(module.running_mean, 0, 0.1)
    nn.init.normal_(network.fc.bias)
    return network.eval()


def resnet34_names() -> Iterator[str]:
    """Yield the names that every implementation of ResNet-34 after torchvision's gives to its weights."""

    def normalization(name: str) -> Iterator[str]:
        for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            yield f"{name}.{part}"

    yield "conv1.weight"
    yield from normalization("bn1")
    for stage, (_, blocks) in enumerate(STAGES, 1):
        for block in range(blocks):
            for layer in (1, 2):
                yield f"layer{stage}.{block}.conv{layer}.weight"
                yield from normalization(f"layer{stage}.{block}.bn{layer}")
            if stage > 1 and block == 0:
                yield f"layer{stage}.{block}.downsample.0.weight"
                yield from normalization(f"layer{stage}.{block}.downsample.1")
    yield from ("fc.weight", "fc.bias")


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def excitation_parameters(reduction: int) -> int:
    return sum(
        blocks * (2 * channels * (channels // reduction) + channels // reduction + channels)
        for channels, blocks in STAGES
    )


@pytest.mark.parametrize("reduction", [16, 8])
def test_parameters_are_those_of_resnet34_and_squeeze_and_excitation(reduction):
    one_channel = 2 * 64 * 7 * 7
    two_classes = 998 * (512 + 1)
    assert count(MIQANet(MIQANetSettings(reduction=reduction))) == (
        RESNET34_PARAMETERS - one_channel - two_classes + excitation_parameters(reduction)
    )


def test_every_residual_block_has_squeeze_and_excitation(network):
    blocks = [module for module in network.modules() if isinstance(module, BasicBlock)]
    assert len(blocks) == 16
    for block in blocks:
        channels = block.conv2.out_channels
        assert isinstance(block.se, SqueezeExcitation)
        assert block.se.fc1.out_channels == block.se.fc2.in_channels == channels // 16
        assert block.se.fc1.in_channels == block.se.fc2.out_channels == channels
    assert [block.conv2.out_channels for block in blocks] == [c for c, n in STAGES for _ in range(n)]


def test_weights_have_the_names_of_resnet34(network):
    assert {name for name in network.state_dict() if ".se." not in name} == set(resnet34_names())


def test_a_plain_resnet34_loads_and_lacks_excitation_alone(network):
    plain = {name: value for name, value in network.state_dict().items() if ".se." not in name}
    other = MIQANet()
    missing, unexpected = other.load_state_dict(plain, strict=False)
    assert not unexpected
    assert len(missing) == 16 * 4
    assert all(".se.fc" in name for name in missing)
    assert torch.equal(other.layer3[2].conv1.weight, network.layer3[2].conv1.weight)


@pytest.mark.parametrize(("rows", "columns"), [(512, 512), (64, 64), (96, 160), (100, 75)])
def test_outputs_have_the_promised_shapes(network, rows, columns):
    with torch.inference_mode():
        quality, artifacts, activation_map = network(torch.rand(2, 1, rows, columns))
    assert quality.shape == (2, 2)
    assert artifacts.shape == (2, 0)
    assert activation_map.shape == (2, -(-rows // 32), -(-columns // 32))
    probabilities = quality.softmax(1)
    assert ((probabilities > 0) & (probabilities < 1)).all()
    torch.testing.assert_close(probabilities.sum(1), torch.ones(2))


def test_the_mean_of_the_activation_map_is_the_verdict(network):
    with torch.inference_mode():
        quality, _, activation_map = network(torch.rand(3, 1, 128, 96))
        bias = network.fc.bias[1] - network.fc.bias[0]
    expected = quality[:, 1] - quality[:, 0]
    assert expected.abs().min() > 1e-3
    assert activation_map.flatten(1).std(1).min() > 0
    torch.testing.assert_close(activation_map.mean((1, 2)) + bias, expected, rtol=1e-4, atol=1e-5)


def test_the_head_that_names_artifacts_is_an_option():
    kinds = ("motion", "noise", "zipper")
    with_head = randomized(MIQANet(MIQANetSettings(artifact_kinds=kinds)))
    assert count(with_head) - count(MIQANet()) == 3 * (512 + 1)
    with torch.inference_mode():
        assert with_head(torch.rand(2, 1, 64, 64)).artifacts.shape == (2, 3)


def test_channels_are_weighed_between_zero_and_one():
    torch.manual_seed(0)
    module = SqueezeExcitation(32, 16)
    x = torch.randn(2, 32, 7, 5)
    ratio = module(x) / x
    assert ((ratio > 0) & (ratio < 1)).all()
    # One weight a channel and image, the same for every pixel.
    torch.testing.assert_close(ratio, ratio[:, :, :1, :1].expand_as(ratio))


def test_a_new_network_starts_from_its_shortcuts():
    block = MIQANet().layer1[1].eval()
    x = torch.rand(1, 64, 8, 8)
    with torch.inference_mode():
        torch.testing.assert_close(block(x), x)


def test_every_weight_learns():
    network = MIQANet(MIQANetSettings(artifact_kinds=("noise",)))
    randomized(network).train()
    output = network(torch.rand(2, 1, 64, 64))
    (output.quality[:, 1].sum() + output.artifacts.sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
