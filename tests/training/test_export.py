"""From a network to what ships: int8 for the engine, half precision to fine-tune from."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from torch import nn

from miqanet.artifacts import KINDS
from miqanet.artifacts.noise import Noise
from miqanet.artifacts.phantom import phantom
from miqanet.networks import MIQANet, MIQANetSettings
from miqanet.preprocessing import prepare
from miqanet.screening.engine import Engine
from miqanet.training.export import (
    HALF_PRECISION_FILE,
    MODEL_FILE,
    OUTPUTS,
    load_network,
    read_half_precision,
    save_engine_model,
    save_half_precision,
)


@pytest.fixture(scope="module")
def network() -> MIQANet:
    """A network whose blocks do something, though nothing sensible."""
    torch.manual_seed(0)
    network = MIQANet(MIQANetSettings(artifact_kinds=KINDS))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.weight, 0.5)
    return network.eval()


@pytest.fixture(scope="module")
def examples() -> list[np.ndarray]:
    images = []
    for seed in range(2):
        clean = phantom((128, 128), seed=seed)
        noisy = Noise.draw(np.random.default_rng(seed), clean.shape).apply(clean)
        images += [prepare(clean), prepare(noisy)]
    return images


@pytest.fixture(scope="module")
def weights(network, examples, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    save_engine_model(network, examples, folder)
    card = {
        "name": "test", "version": "1", "size": 512, "artifact_kinds": list(KINDS), "threshold": 0.5,
        "review_band": [0.4, 0.6], "artifact_thresholds": dict.fromkeys(KINDS, 0.5),
    }  # fmt: skip
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def test_the_engine_agrees_with_the_network(network, examples, weights):
    batch = np.stack(examples)[:, None]
    answer = Engine(weights).infer(batch)
    with torch.inference_mode():
        quality, artifacts, activation_map = network(torch.from_numpy(batch))
    expected = quality.softmax(1)[:, 1].numpy()
    np.testing.assert_allclose(answer.probability_low, expected, atol=0.1)
    np.testing.assert_allclose(answer.artifact_probabilities, artifacts.sigmoid().numpy(), atol=0.15)
    for ours, theirs in zip(answer.activation_map, activation_map.numpy(), strict=True):
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.9


def test_weights_are_stored_as_int8(network, weights):
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert parameters * 0.98 < (weights / "miqanet.bin").stat().st_size < 30e6
    assert 2 * parameters > (weights / "miqanet.bin").stat().st_size
    layers = ElementTree.parse(weights / MODEL_FILE).getroot().iter("layer")  # noqa: S314
    large = [
        (layer.find("data").get("element_type"), int(layer.find("data").get("size")))
        for layer in layers
        if layer.get("type") == "Const" and int(layer.find("data").get("size")) > 100_000
    ]
    assert len(large) > 20
    assert {element_type for element_type, _ in large} == {"i8"}


def test_the_model_has_the_promised_ports(weights):
    import openvino

    model = openvino.Core().read_model(weights / MODEL_FILE)
    assert [port.get_names() for port in model.inputs] == [{"image"}]
    assert [next(iter(port.get_names())) for port in model.outputs] == list(OUTPUTS)
    shapes = [port.partial_shape for port in model.outputs]
    assert [str(shape[1]) for shape in shapes] == ["2", str(len(KINDS)), "16"]
    assert all(shape[0].is_dynamic for shape in shapes)
    assert str(model.inputs[0].partial_shape) == "[?,1,512,512]"


def test_half_precision_comes_back_as_the_same_network(network, tmp_path):
    save_half_precision(network, tmp_path)
    assert 1.9 < (tmp_path / HALF_PRECISION_FILE).stat().st_size / sum(
        parameter.numel() for parameter in network.parameters()
    ) < 2.1  # fmt: skip
    weights = read_half_precision(tmp_path)
    assert {value.dtype for value in weights.values()} == {torch.float16}
    again = load_network(weights, KINDS)
    assert not again.training
    image = torch.rand(2, 1, 96, 96)
    with torch.inference_mode():
        for ours, theirs in zip(again(image), network(image), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0.02, atol=0.02)


def test_others_may_read_half_precision_as_they_may_any_file(network, tmp_path):
    save_half_precision(network, tmp_path)
    (tmp_path / "any").touch()
    assert (tmp_path / HALF_PRECISION_FILE).stat().st_mode == (tmp_path / "any").stat().st_mode


def test_weights_of_another_network_are_refused(network):
    with pytest.raises(RuntimeError, match="artifact_fc"):
        load_network(network.state_dict(), KINDS[:3])


def test_missing_and_damaged_weights_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=HALF_PRECISION_FILE):
        read_half_precision(tmp_path)
    (tmp_path / HALF_PRECISION_FILE).write_bytes(b"no weights")
    with pytest.raises(ValueError, match=f"{HALF_PRECISION_FILE} is damaged"):
        read_half_precision(tmp_path)
