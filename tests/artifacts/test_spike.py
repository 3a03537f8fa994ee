import numpy as np
import pytest

from miqanet.artifacts.phantom import phantom
from miqanet.artifacts.spike import Spike


@pytest.mark.parametrize("position", [(0, 20), (16, 0), (12, -25)])
def test_stripes_have_the_period_and_orientation_of_the_position(position):
    flat = np.ones((96, 128), np.float32)
    power = Spike(positions=(position,), amplitudes=(0.5,), seed=2).apply(flat) ** 2
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2(power - power.mean())))
    row, column = np.unravel_index(int(np.argmax(spectrum)), spectrum.shape)
    found = np.array([row - 48, column - 64])
    # The image's own smooth phase bends the stripes by a few lines of k-space.
    assert min(np.abs(found - position).max(), np.abs(found + position).max()) <= 4


@pytest.mark.parametrize("severity", [0.2, 1.0])
def test_one_spike_lifts_air_evenly_by_its_share_of_the_center_of_k_space(severity):
    image = phantom((96, 96))
    spoiled = Spike(positions=((9, 14),), amplitudes=(0.8,), severity=severity).apply(image)
    np.testing.assert_allclose(spoiled[image == 0], severity * 0.8 * image.mean(), rtol=1e-3)


def test_two_spikes_cross_in_air():
    image = np.zeros((64, 64), np.float32)
    image[30:34, 30:34] = 1
    air = Spike(positions=((8, 0), (0, 8)), amplitudes=(1.0, 1.0)).apply(image)[:24]
    assert air.max() == pytest.approx(2 * image.mean(), rel=0.02)
    assert air.min() < 0.1 * air.max()


def test_energy_added_is_that_of_the_sample():
    image = phantom((128, 128))
    spoiled = Spike(positions=((30, 41),), amplitudes=(1.5,), seed=5).apply(image)
    added = (spoiled.astype(float) ** 2).sum() - (image.astype(float) ** 2).sum()
    assert added == pytest.approx((1.5 * image.mean()) ** 2 * image.size, rel=0.1)


@pytest.mark.parametrize(
    ("positions", "amplitudes"),
    [((), ()), (((1, 2),), (1.0, 2.0)), (((1, np.nan),), (1.0,)), (((1, 2),), (-1.0,))],
)
def test_impossible_parameters_are_refused(positions, amplitudes):
    with pytest.raises(ValueError, match=r"position|amplitude"):
        Spike(positions=positions, amplitudes=amplitudes)
