from __future__ import annotations

import torch
from torch import nn

from miqanet.networks import MIQANet
from miqanet.networks.resnet import BasicBlock, ResNet34


def test_parameters_are_those_published():
    with torch.device("meta"):
        network = ResNet34(channels=3, classes=1000)
    assert sum(parameter.numel() for parameter in network.parameters()) == 21_797_672


def test_layers_have_the_published_names():
    normalized = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]

    def names(convolution, normalization):
        return [f"{convolution}.weight", *(f"{normalization}.{kind}" for kind in normalized)]

    published = names("conv1", "bn1")
    for stage, blocks in enumerate((3, 4, 6, 3), 1):
        for block in range(blocks):
            place = f"layer{stage}.{block}"
            published += names(f"{place}.conv1", f"{place}.bn1") + names(f"{place}.conv2", f"{place}.bn2")
            if stage > 1 and block == 0:
                published += names(f"{place}.downsample.0", f"{place}.downsample.1")
    assert list(ResNet34().state_dict()) == [*published, "fc.weight", "fc.bias"]


def test_layers_are_miqanet_s_without_excitation():
    own, excited = ResNet34().state_dict(), MIQANet().state_dict()
    assert list(own) == [name for name in excited if ".se." not in name]
    assert all(own[name].shape == excited[name].shape for name in own)


def test_images_of_any_size_get_two_logits():
    network = ResNet34().eval()
    with torch.inference_mode():
        for shape in ((2, 1, 64, 64), (2, 1, 96, 50)):
            logits = network(torch.rand(shape))
            assert logits.shape == (2, 2)
            assert logits.isfinite().all()


def test_a_block_weighs_its_channels_by_what_it_is_given():
    class Nothing(nn.Module):
        def __init__(self, channels):
            super().__init__()
            assert channels == 8

        def forward(self, x):
            return 0 * x

    block = BasicBlock(8, 8, 1, Nothing).eval()
    nn.init.ones_(block.bn2.weight)
    x = torch.rand(1, 8, 6, 6)
    with torch.inference_mode():
        torch.testing.assert_close(block(x), x)
        block.se = nn.Identity()
        assert not torch.allclose(block(x), x)
