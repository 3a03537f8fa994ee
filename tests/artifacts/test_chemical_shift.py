import numpy as np
import pytest
from scipy import ndimage

from miqanet.artifacts.chemical_shift import ChemicalShift, fat_fraction, shift

Y, X = np.ogrid[-64:64, -64:64]
RADIUS = np.hypot(Y, X)
WATER, FAT = 0.4, 1.0


def disk_with_fat_rim():
    """Water of radius 40 within a rim of fat 8 pixels thick, band-limited as a scanner's image is."""
    image = np.where(RADIUS < 40, WATER, np.where(RADIUS < 48, FAT, 0.0)).astype(np.float32)
    return ndimage.gaussian_filter(image, 0.8)


def bandwidth_for(pixels, tesla=1.5):
    return 3.5e-6 * 42.577e6 * tesla / pixels


def test_displacement_follows_field_and_bandwidth():
    assert ChemicalShift(field_tesla=1.5, bandwidth_hz=223.53).displacement_pixels == pytest.approx(
        1, rel=1e-4
    )
    assert ChemicalShift(field_tesla=3.0, bandwidth_hz=223.53).displacement_pixels == pytest.approx(
        2, rel=1e-4
    )
    assert ChemicalShift(
        field_tesla=3.0, bandwidth_hz=44.706, polarity=-1
    ).displacement_pixels == pytest.approx(-10, rel=1e-4)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("polarity", [-1, 1])
def test_fat_moves_by_the_predicted_pixels_along_the_readout(axis, polarity):
    image = disk_with_fat_rim()
    fat = (fat_fraction(image) * image).sum()
    params = ChemicalShift(
        field_tesla=1.5, bandwidth_hz=bandwidth_for(6.5), readout_axis=axis, polarity=polarity
    )
    for severity in (0.4, 1.0):
        change = params.at(severity).apply(image) - image
        moment = [(change * grid).sum() / fat for grid in (Y, X)]
        assert moment[axis] == pytest.approx(polarity * severity * 6.5, abs=0.12)
        assert moment[1 - axis] == pytest.approx(0, abs=0.02)


def test_first_kind_leaves_a_bright_band_on_one_side_and_a_dark_one_on_the_other():
    image = disk_with_fat_rim()
    row = ChemicalShift(field_tesla=1.5, bandwidth_hz=bandwidth_for(5)).apply(image)[64]
    assert row[64 - 38] == pytest.approx(WATER + FAT, rel=0.05)
    assert row[64 + 42] < 0.1 * WATER


def test_second_kind_draws_a_dark_line_where_fat_meets_water():
    image = ndimage.gaussian_filter(disk_with_fat_rim(), 1.2)
    opposed = ChemicalShift(field_tesla=1.5, bandwidth_hz=1e6, echo_time_ms=1e3 / (2 * 223.53))
    in_phase = ChemicalShift(field_tesla=1.5, bandwidth_hz=1e6, echo_time_ms=1e3 / 223.53)
    assert opposed.phase == pytest.approx(np.pi, rel=1e-3)
    assert in_phase.phase == pytest.approx(0, abs=1e-2)
    line = opposed.apply(image)[64, 64 + 36 : 64 + 46]
    assert line.min() < 0.6 * WATER
    assert line[0] == pytest.approx(WATER, rel=0.05)
    np.testing.assert_allclose(in_phase.apply(image), image, atol=1e-2)


def test_rim_is_fat_and_water_is_not():
    fraction = fat_fraction(disk_with_fat_rim())
    assert fraction[(RADIUS > 43) & (RADIUS < 47)].min() > 0.8
    assert fraction[RADIUS < 36].max() < 0.05
    assert fraction[RADIUS > 52].max() == 0


def test_fluid_far_brighter_than_the_rim_is_not_fat():
    image = disk_with_fat_rim()
    image[RADIUS < 12] = 2.5
    assert fat_fraction(image)[RADIUS < 10].max() < 0.05


def test_shift_is_exact_for_smooth_objects_and_does_not_wrap():
    def blob(center):
        return np.exp(-((X - center) ** 2 + Y**2) / 18).astype(np.float32)

    np.testing.assert_allclose(shift(blob(-10), 7.3, 1), blob(-2.7), atol=1e-4)
    assert shift(blob(55), 30, 1).max() < 1e-3


@pytest.mark.parametrize(
    "wrong",
    [{"field_tesla": 0}, {"bandwidth_hz": -1}, {"echo_time_ms": -1}, {"readout_axis": 2}, {"polarity": 0}],
)
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ChemicalShift(**{"field_tesla": 1.5, "bandwidth_hz": 100.0, **wrong})


def test_signal_in_a_few_pixels_is_no_fat():
    image = np.zeros((256, 256), np.float32)
    image[120:122, 120:122] = 1
    assert not fat_fraction(image).any()
    spoiled = ChemicalShift(field_tesla=1.5, bandwidth_hz=bandwidth_for(5)).apply(image)
    np.testing.assert_allclose(spoiled, image, atol=1e-6)
