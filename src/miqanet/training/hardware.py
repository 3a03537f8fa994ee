"""What a network was trained on, in the words that a model card needs: processors or graphics card, no names."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

_PROCESSORS = Path("/proc/cpuinfo")


def accelerator() -> str:
    """Return where to train: "cuda" where torch finds such a device, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def reduced_precision() -> torch.dtype:
    """Return the type that most of a network is computed in: bfloat16 where the device has it.

    Elsewhere float16 on a CUDA device, and float32, not reduced at all, on a processor.
    """
    if accelerator() == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32


def hardware(devices: int = 1) -> str:
    """Return the name of the CUDA device, or how many processors of which model this process may use."""
    if accelerator() == "cuda":
        name = torch.cuda.get_device_name(0)
        return name if devices == 1 else f"{devices} x {name}"
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{usable} x {processor_model()}"


def processor_model() -> str:
    """Return what kind of processor this is."""
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "model name" and value.strip():
            return value.strip()
    return platform.processor() or platform.machine()
