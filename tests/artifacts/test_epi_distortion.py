import numpy as np
import pytest

from miqanet.artifacts.epi_distortion import EpiDistortion
from miqanet.artifacts.phantom import phantom


def epi(**parameters):
    return EpiDistortion(
        **{"sources": ((0.3, 0.5, 0.1, 100.0),), "residual_hz": 0.0, "bandwidth_hz": 20.0, **parameters}
    )


def test_field_peaks_at_the_interface():
    field = epi().field_hz((100, 100))
    assert np.unravel_index(int(np.argmax(field)), field.shape) in {
        (r, c) for r in (29, 30) for c in (49, 50)
    }
    assert field.max() == pytest.approx(100, rel=0.01)
    assert field[39, 49] == pytest.approx(100 * np.exp(-0.5), rel=0.05)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("severity", [0.5, 1.0])
def test_signal_moves_by_field_over_bandwidth_along_phase_encode(axis, severity):
    params = epi(sources=((0.5, 0.5, 5.0, 100.0),), phase_encode_axis=axis, severity=severity)
    image = np.zeros((101, 101), np.float32)
    image[45:56, 45:56] = 1
    spoiled = params.apply(image)
    center = [(spoiled * grid).sum() / spoiled.sum() for grid in np.ogrid[:101, :101]]
    assert center[axis] - 50 == pytest.approx(severity * 100 / 20, abs=0.05)
    assert center[1 - axis] == pytest.approx(50, abs=1e-3)


def test_every_phase_encode_line_keeps_its_signal():
    image = phantom((128, 128))
    image[:24] = image[-24:] = 0
    spoiled = epi(residual_hz=60.0, seed=3).apply(image)
    np.testing.assert_allclose(spoiled.sum(axis=0), image.sum(axis=0), rtol=1e-3, atol=1e-3)
    assert np.abs(spoiled - image).max() > 0.3


def test_signal_piles_up_on_one_side_of_the_interface_and_thins_out_on_the_other():
    image = np.ones((100, 100), np.float32)
    spoiled = epi(sources=((0.5, 0.5, 0.1, 150.0),)).apply(image)
    assert spoiled[65, 50] > 1.2
    assert spoiled[45, 50] < 0.8


@pytest.mark.parametrize(
    "wrong",
    [
        {"bandwidth_hz": 0.0},
        {"residual_hz": -1.0},
        {"phase_encode_axis": 3},
        {"sources": ((0.5, 0.5, 0.0, 9.0),)},
    ],
    ids=str,
)
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match=r"bandwidth|residual|axis|source"):
        epi(**wrong)
