import numpy as np
import pytest

from miqanet.artifacts.zipper import Zipper

ROWS, COLUMNS = 120, 160


def square(level=10.0):
    image = np.zeros((ROWS, COLUMNS), np.float32)
    image[40:80, 10:50] = level
    return image


def zipper(**parameters):
    return Zipper(
        **{"frequencies_hz": (6000.0,), "amplitude": 2.0, "bandwidth_hz": 200.0, "seed": 1, **parameters}
    )


def interference(params):
    return params.apply(square()) - square()


@pytest.mark.parametrize("pixels", [-37, 0, 30])
def test_line_sits_at_its_frequency(pixels):
    columns = np.abs(interference(zipper(frequencies_hz=(pixels * 200.0,)))).sum(axis=0)
    assert np.argmax(columns) == COLUMNS // 2 + pixels
    assert np.delete(columns, COLUMNS // 2 + pixels + np.array([-1, 0, 1])).max() < 0.02 * columns.max()


def test_line_runs_along_phase_encode():
    rows = np.abs(interference(zipper(readout_axis=0))).sum(axis=1)
    assert np.argmax(rows) == ROWS // 2 + 30
    line = interference(zipper(readout_axis=0))[ROWS // 2 + 30]
    assert (line > 0.5).mean() > 0.9


def test_frequencies_beyond_the_bandwidth_alias():
    near, far = (zipper(frequencies_hz=(f,)) for f in (6000.0, 6000.0 + COLUMNS * 200.0))
    np.testing.assert_allclose(interference(near), interference(far), atol=0.02)


@pytest.mark.parametrize("severity", [0.3, 1.0])
def test_amplitude_is_relative_to_the_body(severity):
    line = interference(zipper(severity=severity))[:, COLUMNS // 2 + 30]
    assert np.sqrt((line**2).mean()) == pytest.approx(severity * 2.0 * 10.0, rel=0.15)


def test_every_frequency_has_a_line():
    columns = np.abs(interference(zipper(frequencies_hz=(-2000.0, 6000.0, 10000.0)))).sum(axis=0)
    assert set(np.argsort(columns)[-9:]) >= {COLUMNS // 2 + p for p in (-10, 30, 50)}


def width(params):
    columns = np.abs(interference(params)).sum(axis=0)[60:]
    return int((columns > 0.3 * columns.max()).sum())


def test_linewidth_and_drift_broaden_the_line():
    assert width(zipper()) <= 3
    assert width(zipper(linewidth_hz=1500.0)) > 5
    assert width(zipper(drift_hz=3000.0)) > 5


def test_short_bursts_make_long_dashes():
    def correlation(duty):
        line = interference(zipper(duty=duty))[:, COLUMNS // 2 + 30]
        line = line - line.mean()
        return (line[1:] * line[:-1]).mean() / line.var()

    assert correlation(0.1) > 0.7 > correlation(1.0)


@pytest.mark.parametrize(
    "wrong",
    [{"frequencies_hz": ()}, {"amplitude": -1.0}, {"bandwidth_hz": 0.0}, {"duty": 2.0}, {"readout_axis": -1}],
    ids=str,
)
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        zipper(**wrong)
