import numpy as np
import pytest

from miqanet.artifacts import checks


@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf])
def test_positive_names_what_is_not(value):
    checks.positive(radius=3)
    with pytest.raises(ValueError, match="radius"):
        checks.positive(width=1, radius=value)


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
def test_not_negative_names_what_is(value):
    checks.not_negative(drift=0)
    with pytest.raises(ValueError, match="drift"):
        checks.not_negative(drift=value)


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan])
def test_fraction_lies_from_0_to_1(value):
    checks.fraction(least=0, most=1)
    with pytest.raises(ValueError, match="duty"):
        checks.fraction(duty=value)


def test_one_of_lists_the_choices():
    checks.one_of((0, 1), axis=1)
    with pytest.raises(ValueError, match="axis is one of 0, 1, not 2"):
        checks.one_of((0, 1), axis=2)
