from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from miqanet.features.steerable_pyramid import steerable_pyramid

Array = NDArray[np.float64]
SHAPES = [(24, 32), (25, 33), (26, 31), (23, 34), (27, 27)]


def build_sf_pyr(image: Array) -> tuple[Array, list[list[Array]]]:
    """buildSFpyr(image, 2, 5, 1) as MATLAB has it, one-based indices and all."""

    def invert(spectrum: NDArray[np.complex128]) -> Array:
        return np.real(np.fft.ifft2(np.fft.ifftshift(spectrum)))

    dims = np.array(image.shape)
    ctr = np.ceil((dims + 0.5) / 2).astype(int)
    xramp, yramp = np.meshgrid(
        (np.arange(1, dims[1] + 1) - ctr[1]) / (dims[1] / 2),
        (np.arange(1, dims[0] + 1) - ctr[0]) / (dims[0] / 2),
    )
    angle = np.arctan2(yramp, xramp)
    log_rad = np.sqrt(xramp**2 + yramp**2)
    log_rad[ctr[0] - 1, ctr[1] - 1] = log_rad[ctr[0] - 1, ctr[1] - 2]
    log_rad = np.log2(log_rad)

    x = np.pi * np.arange(-257, 2) / 512
    y = np.cos(x) ** 2
    y[0], y[-1] = y[1], y[-2]
    x = -0.5 + (2 / np.pi) * (x + np.pi / 4)
    y = np.sqrt(y)
    yi = np.sqrt(1 - y**2)
    x_cos = np.pi * np.arange(-2049, 1026) / 1024
    y_cos = math.sqrt(2**10 * math.factorial(5) ** 2 / (6 * math.factorial(10))) * np.cos(x_cos) ** 5

    spectrum = np.fft.fftshift(np.fft.fft2(image))
    highpass = invert(spectrum * np.interp(log_rad, x, y))
    low = spectrum * np.interp(log_rad, x, yi)
    scales = []
    for _ in range(2):
        x = x - 1
        scales.append(
            [
                invert(
                    (-1j) ** 5
                    * low
                    * np.interp(angle, x_cos + np.pi * b / 6, y_cos)
                    * np.interp(log_rad, x, y)
                )
                for b in range(6)
            ]
        )
        dims = np.array(low.shape)
        ctr = np.ceil((dims + 0.5) / 2).astype(int)
        lodims = np.ceil((dims - 0.5) / 2).astype(int)
        start = ctr - np.ceil((lodims + 0.5) / 2).astype(int)
        crop = np.s_[start[0] : start[0] + lodims[0], start[1] : start[1] + lodims[1]]
        low, log_rad, angle = low[crop], log_rad[crop], angle[crop]
        low = low * np.interp(log_rad, x, yi)
    return highpass, scales


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_the_original_at_even_and_odd_sizes(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).uniform(0, 255, shape)
    highpass, scales = build_sf_pyr(image)
    pyramid = steerable_pyramid(image)
    np.testing.assert_allclose(pyramid.highpass, highpass, atol=1e-11)
    for bands, expected in zip(pyramid.scales, scales, strict=True):
        np.testing.assert_allclose(bands, expected, atol=1e-11)


@pytest.mark.parametrize("shape", SHAPES)
def test_coarser_scale_is_half_as_large_rounded_up(shape: tuple[int, int]) -> None:
    fine, coarse = steerable_pyramid(np.zeros(shape)).scales
    assert fine.shape == (6, *shape)
    assert coarse.shape == (6, -(-shape[0] // 2), -(-shape[1] // 2))


@pytest.mark.parametrize("k", range(6))
def test_grating_is_strongest_in_the_band_of_its_orientation(k: int) -> None:
    y, x = np.mgrid[:64, :64]
    angle = np.pi * k / 6
    grating = np.cos(2 * np.pi * 0.2 * (x * np.cos(angle) + y * np.sin(angle)))
    energy = np.square(steerable_pyramid(grating).scales[0][:, 8:-8, 8:-8]).sum(axis=(1, 2))
    assert energy.argmax() == k


def test_bands_and_residual_know_nothing_of_brightness() -> None:
    image = np.random.default_rng(1).uniform(0, 255, (40, 41))
    dark, bright = steerable_pyramid(image), steerable_pyramid(image + 1000)
    np.testing.assert_allclose(dark.highpass, bright.highpass, atol=1e-10)
    for one, another in zip(dark.scales, bright.scales, strict=True):
        np.testing.assert_allclose(one, another, atol=1e-10)
