from dataclasses import replace

import pytest

from miqanet.artifacts import Noise
from miqanet.artifacts.phantom import phantom
from miqanet.features.measures import NAMES, Measures, measure
from miqanet.features.reasons import PLAIN, reasons
from miqanet.features.reference import Range, Reference, shipped_reference

REFERENCE = Reference("brain", 100, 20, dict.fromkeys(NAMES, Range(2.0, 4.0, 6.0)))
USUAL = Measures(*[4.0] * len(NAMES))


def test_every_measure_is_told_in_plain_words():
    assert set(PLAIN) == set(NAMES)
    for plain in PLAIN.values():
        assert plain.name
        assert plain.unusual[0].isupper()
        assert plain.unusual.endswith("?")


def test_usual_image_gives_no_reason():
    assert reasons(USUAL, REFERENCE) == ()


@pytest.mark.parametrize("name", NAMES)
def test_only_the_bad_side_is_a_reason(name):
    low, high = (reasons(replace(USUAL, **{name: value}), REFERENCE) for value in (1.0, 7.0))
    told, untold = (low, high) if PLAIN[name].low_is_bad else (high, low)
    assert untold == ()
    (reason,) = told
    assert reason.measure == name
    assert reason.limit == (2.0 if PLAIN[name].low_is_bad else 6.0)


def test_limit_itself_is_usual():
    assert reasons(Measures(*[6.0] * len(NAMES)), REFERENCE) == ()


def test_what_was_not_measured_is_no_reason():
    assert reasons(Measures(), REFERENCE) == ()
    unknown = replace(REFERENCE, ranges=dict.fromkeys(NAMES, Range(*[float("nan")] * 3)))
    assert reasons(USUAL, unknown) == ()


def test_specific_reasons_come_first():
    told = reasons(replace(USUAL, efc=9.0, nyquist_ghost_ratio=9.0, snr=1.0), REFERENCE)
    assert [reason.measure for reason in told] == ["nyquist_ghost_ratio", "snr", "efc"]


def test_noisy_image_is_told_to_be_noisy():
    told = reasons(measure(Noise(snr=3, seed=0).apply(phantom())), shipped_reference("brain"))
    assert {"snr", "snr_dietrich"} <= {reason.measure for reason in told}
