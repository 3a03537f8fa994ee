from __future__ import annotations

from dataclasses import replace

import pytest
from pydicom import Dataset

from miqanet.hospital.page_view import advice, backlog_view, patient_name, series_detail, series_view
from miqanet.hospital.patient_study import extract
from miqanet.hospital.records import Grade
from miqanet.hospital.rest_rows import Backlog, ImageRow, SeriesRow, WorstImage
from miqanet.verdict import Finding


@pytest.fixture
def row(patient, result):
    return SeriesRow(
        id=1,
        study_instance_uid="1.2",
        series_instance_uid="1.2.3",
        series_number=7,
        series_description="T1 sag",
        accession_number="A1",
        scanner="MR-2",
        first_received=1.0,
        last_received=2.0,
        is_reported=True,
        received_images=10,
        done_images=10,
        judged=10,
        low=3,
        review=1,
        grade=Grade.NON_DIAGNOSTIC,
        worst=WorstImage(5, "1.2.3.5", result("low", Finding("motion", 0.9), Finding("sparkle", 0.6))),
        patient_study=extract(patient),
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "3 of 10 images are of low diagnostic quality. Look, and consider a repeat."),
        (
            {"done_images": 9},
            "3 of 10 images are of low diagnostic quality so far. Look, and consider a repeat.",
        ),
        (
            {"low": 1, "judged": 1},
            "1 of 1 image is of low diagnostic quality. Look, and consider a repeat. 9 could not be judged.",
        ),
        ({"grade": Grade.LIMITED}, "The network is unsure: 1 of 10 should be looked at."),
        ({"grade": Grade.DIAGNOSTIC}, "Good as a whole; 3 of 10 images low."),
        (
            {"grade": Grade.DIAGNOSTIC, "low": 0},
            "No image is clearly of low diagnostic quality; 1 of 10 in doubt.",
        ),
        (
            {"grade": Grade.DIAGNOSTIC, "low": 0, "review": 0, "judged": 1},
            "No image is of low diagnostic quality. 9 could not be judged.",
        ),
        ({"grade": None, "done_images": 0}, "No verdict yet."),
        ({"grade": None}, "No image of it could be judged."),
    ],
)
def test_advice(row, changes, said):
    assert advice(replace(row, **changes)) == said


@pytest.mark.parametrize(
    ("backlog", "said"),
    [
        (Backlog(0, 0.0), ""),
        (Backlog(90, 59.0), ""),
        (Backlog(1, 61.0), "1 image waits for a verdict, the first for 1 min"),
        (Backlog(1200, 3 * 3600.0), "1,200 images wait for a verdict, the first for 3 h"),
    ],
)
def test_what_waits_is_said_when_it_waits_for_long(backlog, said):
    assert backlog_view(backlog) == said


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Doe^Jane^Q", "Doe, Jane Q"),
        ("Doe", "Doe"),
        ("^Jane", "Jane"),
        ("Yamada^Tarou=山田^太郎", "Yamada, Tarou"),
        ("", ""),
    ],
)
def test_names_are_written_as_people_write_them(name, written):
    dataset = Dataset()
    dataset.PatientName = name
    assert patient_name(dataset) == written


def test_a_name_is_there_only_where_it_may_be_shown(row):
    assert series_view(row, with_patient=True).patient == "Doe, Jane"
    assert series_view(row, with_patient=False).patient == ""
    assert "Doe" not in repr(series_view(row, with_patient=True))


def test_artifacts_are_named_where_something_is_wrong(row):
    assert series_view(row, with_patient=False).suspected == ("Motion", "Sparkle")
    assert series_view(replace(row, grade=Grade.DIAGNOSTIC), with_patient=False).suspected == ()


def test_the_strip_shows_images_in_their_order(row, result):
    images = [
        ImageRow(1, "1.2.3.1", 1, 1.0, (result("high"),)),
        ImageRow(5, "1.2.3.5", 2, 1.0, (result("low"),)),
        ImageRow(6, "1.2.3.6", 3, 1.0, (result("error"),)),
        ImageRow(7, "1.2.3.7", 4, 1.0, ()),
    ]
    detail = series_detail(row, images, with_patient=False)
    assert [bar.word for bar in detail.bars] == ["good", "repeat", "error", "waiting"]
    assert [bar.label for bar in detail.bars] == [
        "Image 1: 0.03",
        "Image 2: 0.93",
        "Image 3: its pixels are cut short",
        "Image 4: waiting",
    ]
    assert [bar.x for bar in detail.bars] == [0, 150, 300, 450]
    assert detail.worst_number == 2
    assert detail.troubles == (("its pixels are cut short", 1),)
    assert [guide.name for guide, _ in detail.findings] == ["Motion", "Sparkle"]


def test_a_strip_of_many_images_keeps_the_worst_of_those_that_lie_together(row, result):
    images = [
        ImageRow(number, f"1.2.3.{number}", number, 1.0, (result("low" if number == 500 else "high"),))
        for number in range(1, 1001)
    ]
    bars = series_detail(row, images, with_patient=False).bars
    assert len(bars) == 300
    assert [bar.label for bar in bars if bar.word == "repeat"] == ["Image 500: 0.93"]


def test_images_without_a_verdict_are_counted(row):
    assert series_view(row, with_patient=False).unjudged == 0
    assert series_view(replace(row, judged=3), with_patient=False).unjudged == 7
    # Each of an image of several frames has a verdict.
    assert series_view(replace(row, judged=60), with_patient=False).unjudged == 0
