from __future__ import annotations

import subprocess
import sys

import pytest

from miqanet.hospital.records import Grade
from miqanet.verdict import Quality


def test_the_review_band_goes_before_the_class():
    assert Grade.of(Quality.LOW, review=True) is Grade.LIMITED
    assert Grade.of(Quality.HIGH, review=True) is Grade.LIMITED
    assert Grade.of(Quality.LOW, review=False) is Grade.NON_DIAGNOSTIC
    assert Grade.of(Quality.HIGH, review=False) is Grade.DIAGNOSTIC


@pytest.mark.parametrize(
    ("outcomes", "grade"),
    [
        (["high"] * 9 + ["low"], Grade.DIAGNOSTIC),
        (["high"] * 8 + ["low"] * 2, Grade.NON_DIAGNOSTIC),
        (["high"] * 8 + ["low", "review"], Grade.LIMITED),
        (["error", "low"], Grade.NON_DIAGNOSTIC),
        (["error", "error"], None),
    ],
)
def test_a_series_is_graded_as_screening_judges_it(series, result, outcomes, grade):
    images = [result(outcome, number=number) for number, outcome in enumerate(outcomes)]
    assert series(*images).grade is grade


def test_only_images_of_non_diagnostic_quality_are_flagged(series, result):
    images = [
        result(outcome, number=number) for number, outcome in enumerate(["high", "low", "review", "error"])
    ]
    assert series(*images).flagged == (images[1],)


def test_the_worst_frame_is_counted_as_screening_counts_it(series, result):
    worst = series(result("high", frame=1), result("low", frame=2)).tally.worst
    assert worst.frame == 1


def test_a_series_does_not_show_its_patient(series, result):
    assert "Doe" not in repr(series(result("high")))


def test_records_need_no_dicom_library():
    code = "import sys, miqanet.hospital.records; print({'pydicom', 'highdicom'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
