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


def hardware() -> str:
    """Return the name of the CUDA device, or how many processors of which model this process may use."""
    if accelerator() == "cuda":
        return torch.cuda.get_device_name(0)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{usable} x {_processor_model()}"


def _processor_model() -> str:
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "model name" and value.strip():
            return value.strip()
    return platform.processor() or platform.machine()
