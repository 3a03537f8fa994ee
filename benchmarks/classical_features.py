"""How long do the classical methods take for one image of 512 x 512 pixels on one core?

    python benchmarks/classical_features.py [--repeats 15] [--atoms 10000]     (needs miqanet[benchmark])

A generated picture with structure at all scales and noise, 0..255. CORNIA looks at 10,000 patches with a codebook
of 10,000 atoms; its numbers are drawn at random, which takes as long as learned ones. Each method runs once to warm
up and then `--repeats` times, in turn with the others, so that a busy machine slows all of them alike. Printed are
medians of seconds on the clock, and of processor time, which other processes lengthen less.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from threadpoolctl import threadpool_limits

from miqanet.features import METHODS, CorniaCodebook, cornia
from miqanet.features.patches import draw_patches

Array = NDArray[np.float64]

_SIDE = 512
_LIMITS = {"brisque": 0.03, "bliinds2": 0.05, "diivine": 0.8, "cornia": 0.6}
"""Seconds that a method is meant to stay below."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--atoms", type=int, default=10_000)
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    image = picture(rng)
    codebook = CorniaCodebook(np.zeros(49), np.eye(49), rng.normal(size=(49, options.atoms)))
    patches = draw_patches(image.shape, rng)
    methods: dict[str, Callable[[Array], Any]] = {
        **METHODS,
        "cornia": partial(cornia, codebook=codebook, patches=patches),
    }
    clock: dict[str, list[float]] = {name: [] for name in methods}
    processor: dict[str, list[float]] = {name: [] for name in methods}
    with threadpool_limits(1):
        for repeat in range(1 + options.repeats):
            for name, method in methods.items():
                began = time.perf_counter(), time.process_time()
                method(image)
                if repeat:
                    clock[name].append(time.perf_counter() - began[0])
                    processor[name].append(time.process_time() - began[1])

    print(f"{'method':<12}{'seconds':>10}{'processor':>12}{'meant':>8}")
    for name in methods:
        meant = f"{_LIMITS[name]:.2f}" if name in _LIMITS else ""
        print(f"{name:<12}{median(clock[name]):>10.4f}{median(processor[name]):>12.4f}{meant:>8}")


def picture(rng: np.random.Generator) -> Array:
    """Return smooth structure of three sizes under noise, in whole numbers 0..255."""
    values = rng.normal(scale=6, size=(_SIDE, _SIDE)) + 110
    for size in (2, 8, 32):
        structure = gaussian_filter(rng.normal(size=values.shape), size)
        values += 30 * structure / structure.std()
    return np.clip(np.round(values), 0, 255)


if __name__ == "__main__":
    main()
