import numpy as np
import pytest

from miqanet.database.body_parts import BODY_PARTS
from miqanet.features.measures import NAMES
from miqanet.features.reference import ALL, shipped_reference, usual_range


def test_every_body_part_has_ranges_for_every_measure():
    for body_part in (ALL, *BODY_PARTS):
        reference = shipped_reference(body_part)
        assert set(reference.ranges) == set(NAMES)
        for limits in reference.ranges.values():
            assert limits.p5 <= limits.p50 <= limits.p95
        assert reference.images >= reference.subjects >= 10


def test_body_part_without_figures_of_its_own_is_compared_with_all():
    assert shipped_reference("brain").body_part == "brain"
    assert shipped_reference("other") is shipped_reference(ALL)


def test_percentiles_of_equal_weights_are_those_of_the_values():
    limits = usual_range(np.arange(1, 101)[::-1], np.ones(100))
    assert (limits.p5, limits.p50, limits.p95) == (5, 50, 95)


def test_weight_counts_like_repetition():
    assert usual_range([1.0, 2.0, 3.0], [1, 8, 1]) == usual_range([1.0, *[2.0] * 8, 3.0], np.ones(10))


def test_what_was_not_measured_has_no_say():
    assert usual_range([np.nan, 1.0, 2.0, 3.0], [100, 1, 1, 1]) == usual_range([1.0, 2.0, 3.0], [1, 1, 1])
    assert np.isnan(usual_range([np.nan], [1.0]).p50)


def test_one_value_is_its_own_range():
    limits = usual_range([7.0], [0.3])
    assert (limits.p5, limits.p95) == pytest.approx((7, 7))
