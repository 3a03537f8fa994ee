import numpy as np
import pytest

from miqanet.artifacts.bias_field import BiasField


def bias(**parameters):
    return BiasField(**{"coils": ((0.5, 0.0),), "radius": 0.3, "range_db": 30.0, **parameters})


def gain_db(params, shape=(90, 120)):
    return 20 * np.log10(params.apply(np.ones(shape, np.float32)))


@pytest.mark.parametrize("unevenness", [0.0, 0.4])
@pytest.mark.parametrize("severity", [0.5, 1.0])
def test_severity_scales_the_decibels(unevenness, severity):
    decibels = gain_db(bias(unevenness=unevenness, severity=severity))
    assert np.ptp(decibels) == pytest.approx(30 * severity, rel=1e-3)
    assert decibels.mean() == pytest.approx(0, abs=1e-2)


def test_tissue_near_the_coil_is_bright():
    decibels = gain_db(bias())
    assert (np.diff(decibels, axis=1) < 0).all()
    np.testing.assert_allclose(decibels, decibels[::-1], atol=1e-3)


def test_sensitivity_falls_as_on_the_axis_of_a_loop():
    shading = gain_db(bias(range_db=1.0), (101, 101))[50]
    distance = (np.arange(101) + 0.5) / 101
    law = -1.5 * np.log(1 + (distance / 0.3) ** 2)
    assert np.corrcoef(shading, law)[0, 1] == pytest.approx(1, abs=1e-4)


def test_ring_of_coils_leaves_the_middle_dark():
    decibels = gain_db(bias(coils=((0.0, 0.5), (1.0, 0.5), (0.5, 0.0), (0.5, 1.0))))
    assert decibels[45, 60] < decibels[45, 5]
    assert decibels[45, 60] < decibels[5, 60]


def test_shading_multiplies():
    image = np.random.default_rng(0).uniform(0, 9, (40, 50)).astype(np.float32)
    params = bias(unevenness=0.3)
    np.testing.assert_allclose(
        params.apply(image), image * params.apply(np.ones((40, 50), np.float32)), rtol=1e-5
    )


@pytest.mark.parametrize(
    "wrong", [{"coils": ()}, {"radius": 0.0}, {"range_db": -1.0}, {"unevenness": 1.1}], ids=str
)
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        bias(**wrong)
