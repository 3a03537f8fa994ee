from __future__ import annotations

import platform

import pytest
import torch

from miqanet.training import hardware as module
from miqanet.training.hardware import accelerator, hardware, reduced_precision


@pytest.fixture
def no_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_processors_are_counted_and_named_by_their_model(no_cuda, monkeypatch, tmp_path):  # noqa: ARG001
    processors = tmp_path / "cpuinfo"
    processors.write_text("processor\t: 0\nmodel name\t: Example CPU @ 2.0GHz\n\nmodel name\t: Another\n")
    monkeypatch.setattr(module, "_PROCESSORS", processors)
    number, name = hardware().split(" x ")
    assert int(number) >= 1
    assert name == "Example CPU @ 2.0GHz"


def test_without_a_list_of_processors_the_architecture_is_named(no_cuda, monkeypatch, tmp_path):  # noqa: ARG001
    monkeypatch.setattr(module, "_PROCESSORS", tmp_path / "none")
    assert hardware().endswith(platform.processor() or platform.machine())


def test_the_host_is_never_named():
    assert platform.node() not in hardware()


def test_a_cuda_device_is_used_and_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _index: "Example GPU")
    assert accelerator() == "cuda"
    assert hardware() == "Example GPU"
    assert hardware(4) == "4 x Example GPU"


@pytest.mark.parametrize(("supported", "reduced"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_cuda_device_computes_in_bfloat16_where_it_can(monkeypatch, supported, reduced):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    # Emulated, it would be slower than none.
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_options: supported)
    assert reduced_precision() is reduced


@pytest.mark.parametrize(("supported", "reduced"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_processor_computes_in_bfloat16_where_it_can(no_cuda, monkeypatch, supported, reduced):  # noqa: ARG001
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: supported)
    assert reduced_precision() is reduced
