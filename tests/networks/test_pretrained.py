"""Checkpoints of ImageNet: three channels and a thousand classes become one and two."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from miqanet.networks import NETWORKS, make_network
from miqanet.networks.pretrained import pretrained_weights, read_checkpoint


def imagenet(name: str) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    state = make_network(name, channels=3, classes=1000).state_dict()
    return {key: value.contiguous() for key, value in state.items()}


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, torch.Tensor]]:
    path = tmp_path_factory.mktemp("imagenet") / "squeezenet.pth"
    state = imagenet("squeezenet")
    torch.save(state, path)
    return path, state


@pytest.fixture(scope="module")
def resnet34(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, torch.Tensor]]:
    path = tmp_path_factory.mktemp("imagenet") / "resnet34.safetensors"
    # As torchvision's older files: without counters of batches.
    state = {name: value for name, value in imagenet("resnet34").items() if "num_batches" not in name}
    save_file(state, path)
    return path, state


def test_a_gray_image_gives_what_three_equal_channels_gave(squeezenet):
    path, state = squeezenet
    weights = pretrained_weights(path, "squeezenet")
    gray = torch.rand(2, 1, 16, 16)
    before = functional.conv2d(gray.expand(-1, 3, -1, -1), state["features.0.weight"])
    torch.testing.assert_close(functional.conv2d(gray, weights["features.0.weight"]), before)


def test_all_but_the_classifier_is_kept(squeezenet):
    path, state = squeezenet
    weights = pretrained_weights(path, "squeezenet")
    assert set(state) - set(weights) == {"classifier.1.weight", "classifier.1.bias"}
    for name in set(weights) - {"features.0.weight"}:
        assert torch.equal(weights[name], state[name])
    network = make_network("squeezenet")
    network.load_state_dict({**network.state_dict(), **weights})


def test_miqanet_begins_with_resnet34(resnet34):
    path, state = resnet34
    weights = pretrained_weights(path, "miqanet")
    network = make_network("miqanet", artifact_kinds=("motion",))
    network.load_state_dict({**network.state_dict(), **weights})
    assert torch.equal(network.layer3[2].conv1.weight, state["layer3.2.conv1.weight"])
    assert set(pretrained_weights(path, "resnet34")) == set(weights)


@pytest.mark.parametrize("name", set(NETWORKS) - {"squeezenet"})
def test_weights_of_another_network_are_refused(squeezenet, name):
    with torch.device("meta"), pytest.raises(ValueError, match=f"holds no weights of {name}: see its "):
        pretrained_weights(squeezenet[0], name)


def test_weights_of_other_shapes_are_refused(squeezenet, tmp_path):
    path = tmp_path / "wide.pth"
    torch.save({**squeezenet[1], "features.3.squeeze.weight": torch.zeros(99, 64, 1, 1)}, path)
    with pytest.raises(ValueError, match=r"see its features\.3\.squeeze\.weight"):
        pretrained_weights(path, "squeezenet")


class Malice:
    def __reduce__(self):
        return (Path.touch, (Path("touched"),))


def test_a_checkpoint_does_not_run_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": Malice()}, tmp_path / "malice.pth")
    with pytest.raises(ValueError, match=r"malice\.pth is no checkpoint"):
        read_checkpoint(tmp_path / "malice.pth")
    assert not (tmp_path / "touched").exists()


def test_what_is_no_checkpoint_is_named(tmp_path):
    for name, content in (("a.pth", b"no weights"), ("b.pth", b""), ("c.safetensors", b"no weights")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} is no checkpoint"):
            read_checkpoint(tmp_path / name)
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="other things than named weights"):
        read_checkpoint(tmp_path / "list.pth")
    with pytest.raises(FileNotFoundError):
        read_checkpoint(tmp_path / "none.pth")
