from __future__ import annotations

import pytest
import torch

from miqanet.artifacts import KINDS
from miqanet.networks import MIQANet, MIQANetSettings, make_network
from miqanet.training.checkpoints import (
    BEST_CHECKPOINT,
    LAST_CHECKPOINT,
    network_weights,
    trained_network,
    weights_file,
)
from miqanet.training.export import save_half_precision


def test_the_averaged_weights_are_those_of_the_network(short_run):
    run, _ = short_run
    weights = network_weights(run / LAST_CHECKPOINT)
    network = MIQANet(MIQANetSettings(artifact_kinds=KINDS))
    network.load_state_dict(weights)
    current = torch.load(run / LAST_CHECKPOINT, weights_only=True)["current_model_state"]
    assert not torch.equal(weights["conv1.weight"], current["network.conv1.weight"])


def test_the_network_is_ready_to_judge(short_run):
    run, _ = short_run
    network = trained_network(run / BEST_CHECKPOINT)
    assert isinstance(network, MIQANet)
    assert not network.training
    for name, value in network_weights(run / BEST_CHECKPOINT).items():
        assert torch.equal(network.state_dict()[name], value)


@pytest.mark.parametrize(
    ("settings", "network"),
    # What has no name was written before there was a choice.
    [({"kinds": ("motion",)}, "miqanet"), ({"kinds": (), "network": "squeezenet"}, "squeezenet")],
)
def test_a_checkpoint_knows_its_network(settings, network, tmp_path):
    state = make_network(network, artifact_kinds=settings["kinds"]).state_dict()
    content = {
        "hyper_parameters": settings,
        "state_dict": {f"network.{name}": value for name, value in state.items()},
    }
    torch.save(content, tmp_path / BEST_CHECKPOINT)
    loaded = trained_network(tmp_path / BEST_CHECKPOINT).state_dict()
    assert list(loaded) == list(state)
    assert all(torch.equal(loaded[name], value) for name, value in state.items())


def test_exported_weights_are_those_of_the_run(short_run, tmp_path):
    run, _ = short_run
    assert weights_file(run) == run / BEST_CHECKPOINT
    save_half_precision(trained_network(run / BEST_CHECKPOINT), tmp_path)
    exported = weights_file(tmp_path)
    weights = network_weights(exported)
    loaded = trained_network(exported)
    assert not loaded.training
    for name, value in network_weights(run / BEST_CHECKPOINT).items():
        if value.ndim:
            assert torch.equal(weights[name], value.half())
            assert torch.equal(loaded.state_dict()[name], value.half().float())


def test_a_run_without_a_finished_epoch_has_no_weights(tmp_path):
    for read in (network_weights, trained_network):
        with pytest.raises(FileNotFoundError, match="not finished an epoch"):
            read(tmp_path / BEST_CHECKPOINT)
