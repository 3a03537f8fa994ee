import numpy as np
import pytest

from miqanet.artifacts.metal import CYLINDER, SPHERE, Metal

CENTER = 64
HERTZ_PER_PPM = 42.577 * 1.5


def disk(value=1.0):
    return np.where(np.hypot(*np.ogrid[-64:65, -64:65]) < 50, value, 0.0).astype(np.float32)


def metal(**parameters):
    return Metal(**{"susceptibility_ppm": 100.0, "radius": 3.0, "position": (0.5, 0.5), **parameters})


def test_cylinder_has_the_field_of_a_two_dimensional_dipole():
    field, distance = metal(form=CYLINDER).field_hz(disk())
    along, across = field[CENTER + 9, CENTER], field[CENTER, CENTER + 9]
    assert along == pytest.approx(100 / 2 * HERTZ_PER_PPM / 9, rel=1e-4)
    assert across == pytest.approx(-along, rel=1e-4)
    assert field[CENTER + 18, CENTER] == pytest.approx(along / 4, rel=1e-4)
    assert field[CENTER + 9, CENTER + 9] == pytest.approx(0, abs=1e-2)
    assert distance[CENTER, CENTER] == 0


def test_sphere_has_the_field_of_a_dipole():
    field, _ = metal(form=SPHERE).field_hz(disk())
    along, across = field[CENTER + 9, CENTER], field[CENTER, CENTER + 9]
    assert along == pytest.approx(2 * 100 / 3 * HERTZ_PER_PPM / 27, rel=1e-4)
    assert across == pytest.approx(-along / 2, rel=1e-4)
    assert field[CENTER + 18, CENTER] == pytest.approx(along / 8, rel=1e-4)


@pytest.mark.parametrize("form", [CYLINDER, SPHERE])
def test_field_is_symmetric_and_turns_with_b0(form):
    field, _ = metal(form=form).field_hz(disk())
    np.testing.assert_allclose(field, field[::-1, ::-1], atol=1e-2)
    np.testing.assert_allclose(field, field[:, ::-1], atol=1e-2)
    turned, _ = metal(form=form, b0_degrees=90).field_hz(disk())
    np.testing.assert_allclose(turned, field.T, atol=1e-1)


def test_diamagnetic_metal_has_the_opposite_field():
    field, _ = metal().field_hz(disk())
    opposite, _ = metal(susceptibility_ppm=-100.0).field_hz(disk())
    np.testing.assert_allclose(opposite, -field, atol=1e-3)


def test_spins_are_displaced_along_the_readout_by_field_over_bandwidth():
    image = np.zeros((129, 129), np.float32)
    image[30:100, 30:100] = 1e-4
    image[CENTER + 20, CENTER] = 1
    params = metal(position=(0.5, 0.5), bandwidth_hz=25.0, excitation_hz=1e6)
    row, column = (int(np.median(axis)) for axis in np.nonzero(image > 1e-5))
    field, _ = params.field_hz(image)
    predicted = field[CENTER + 20, CENTER] / 25
    assert abs(row - CENTER) <= 2
    assert abs(column - CENTER) <= 2
    assert predicted > 2
    moved = params.apply(image)[CENTER + 20]
    assert (moved * np.arange(129))[60:90].sum() / moved[60:90].sum() == pytest.approx(
        CENTER + predicted, abs=0.3
    )


def test_only_the_readout_axis_is_distorted():
    image = disk()
    for axis in (0, 1):
        params = metal(radius=2.0, excitation_hz=1e9, bandwidth_hz=400.0, readout_axis=axis)
        lost = image.sum(axis=axis) - params.apply(image).sum(axis=axis)
        lost[CENTER - 3 : CENTER + 4] = 0
        np.testing.assert_allclose(lost, 0, atol=0.05)
        assert params.apply(image).max() > 1.5


def test_gradient_echo_loses_more_signal_than_spin_echo():
    image = disk()
    spin_echo, gradient_echo = metal().apply(image), metal(echo_time_ms=10.0).apply(image)
    assert spin_echo[CENTER, CENTER] < 0.7
    assert (gradient_echo[image > 0] < 0.3).sum() > 1.5 * (spin_echo[image > 0] < 0.3).sum()


def test_void_grows_with_severity():
    image = disk()
    params = metal(susceptibility_ppm=900.0, echo_time_ms=5.0)
    areas = [int((params.at(s).apply(image)[image > 0] < 0.3).sum()) for s in (0, 0.25, 0.5, 1, 2)]
    assert areas == sorted(areas)
    assert areas[0] == 0
    assert areas[2] < areas[3] < areas[4]


def test_spins_beyond_the_excitation_give_no_signal():
    image = disk()
    narrow, wide = (metal(excitation_hz=hertz).apply(image).sum() for hertz in (500.0, 1e6))
    assert narrow < wide < image.sum()


def test_metal_is_placed_in_tissue():
    image = np.zeros((80, 80), np.float32)
    image[5:75, 5:20] = image[5:75, 60:75] = 1
    _, distance = metal(position=(0.5, 0.45)).field_hz(image)
    row, column = np.unravel_index(int(np.argmin(distance)), distance.shape)
    assert image[row - 2 : row + 3, column - 2 : column + 3].max() == 1


@pytest.mark.parametrize(
    "wrong",
    [{"radius": 0.0}, {"bandwidth_hz": 0.0}, {"echo_time_ms": -1.0}, {"form": "cube"}, {"readout_axis": 2},
     {"position": (1.2, 0.5)}, {"susceptibility_ppm": np.nan}],
    ids=str,
)  # fmt: skip
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match=r"radius|bandwidth|echo|form|axis|row|susceptibility"):
        metal(**wrong)
