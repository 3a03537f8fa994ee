"""Tests of what a report keeps of a run."""

import numpy as np
import pytest

from miqanet.screening.collector import LISTED, ReportCollector, picture_key
from miqanet.screening.results import ResultRow

GRAY = np.full((512, 512), 0.5, np.float32)


def judged(index: int, probability: float, **fields) -> ResultRow:
    quality = "low" if probability >= 0.5 else "high"
    return ResultRow(
        path=f"scans/{index:05d}.dcm", frame=0, quality=quality, probability_low=probability, **fields
    )


def rows_of(number: int) -> list[ResultRow]:
    probabilities = np.random.default_rng(1).random(number)
    return [judged(index, float(probability)) for index, probability in enumerate(probabilities)]


def chosen(collector: ReportCollector) -> list[str]:
    return [row.path for row in collector.worst()] + [row.path for row in collector.sample()]


def test_worst_are_kept_and_a_sample_of_the_rest(tmp_path):
    rows = rows_of(500)
    collector = ReportCollector(tmp_path, limit=30)
    for row in rows:
        collector.add(row)
    ranked = sorted(rows, key=lambda row: -row.probability_low)
    assert collector.worst() == ranked[:30]
    assert len(collector.sample()) == 10
    assert set(collector.sample()) <= set(ranked[30:])


def test_choice_does_not_depend_on_order(tmp_path):
    rows = rows_of(300)
    forward, backward = (ReportCollector(tmp_path / name, limit=30) for name in "ab")
    for row, other in zip(rows, reversed(rows), strict=True):
        forward.add(row)
        backward.add(other)
    assert chosen(forward) == chosen(backward)


def test_sample_is_spread_over_the_whole_rest(tmp_path):
    rows = rows_of(6000)
    collector = ReportCollector(tmp_path, limit=900)
    for row in rows:
        collector.add(row)
    sampled = [row.probability_low for row in collector.sample()]
    rest = [row.probability_low for row in rows if row not in set(collector.worst())]
    assert np.mean(sampled) == pytest.approx(np.mean(rest), abs=0.05)
    assert np.std(sampled) == pytest.approx(np.std(rest), rel=0.1)


def test_pictures_on_disk_are_those_of_the_choice(tmp_path):
    collector = ReportCollector(tmp_path, limit=6)
    for row in rows_of(60):
        collector.add(row, GRAY)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {f"{picture_key(row)}.picture" for row in collector.worst() + collector.sample()}
    assert all(picture for _, picture in collector.pictures(collector.worst() + collector.sample()))


def test_resumed_run_ends_as_an_uninterrupted_one(tmp_path):
    rows = rows_of(80)
    whole, first, second = (ReportCollector(tmp_path / name, limit=9) for name in ("whole", "parts", "parts"))
    for row in rows:
        whole.add(row, GRAY)
    for row in rows[:50]:
        first.add(row, GRAY)
    for index, row in enumerate(rows):
        second.add(row, GRAY if index >= 50 else None)
    assert chosen(second) == chosen(whole)
    assert second.judged == whole.judged == 80
    assert all(picture for _, picture in second.pictures(second.worst() + second.sample()))
    assert {path.name for path in (tmp_path / "parts").iterdir()} == {
        path.name for path in (tmp_path / "whole").iterdir()
    }


def test_counts_cover_every_row(tmp_path):
    collector = ReportCollector(tmp_path, limit=2)
    collector.add(judged(0, 0.99, findings="motion:0.90;noise:0.60"))
    collector.add(judged(1, 0.55, findings="motion:0.70", review=True))
    collector.add(judged(2, 1.0))
    for index in range(3, 10):
        collector.add(judged(index, 0.01))
    assert (collector.judged, collector.low, collector.high, collector.review) == (10, 3, 7, 1)
    assert collector.kinds == {"motion": 2, "noise": 1}
    assert collector.histogram.sum() == 10
    assert collector.histogram[0] == 7
    assert collector.histogram[-1] == 2


def test_errors_are_counted_and_listed_apart_from_skipped_files(tmp_path):
    collector = ReportCollector(tmp_path)
    for index in range(LISTED + 5):
        collector.add(ResultRow.of_error(f"{index}.dcm", 0, "the pixel data are truncated"))
    collector.add_error(ResultRow.of_error("report.pdf", 0, "skipped: a PDF document"))
    assert (collector.error_count, len(collector.errors)) == (LISTED + 5, LISTED)
    assert (collector.skipped_count, len(collector.skipped)) == (1, 1)
    assert collector.judged == 0


def test_no_image_is_kept_when_none_is_wanted(tmp_path):
    collector = ReportCollector(tmp_path, limit=0)
    collector.add(judged(0, 0.9), GRAY)
    assert not chosen(collector)
    assert not list(tmp_path.iterdir())


def test_negative_number_of_images_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least 0 images"):
        ReportCollector(tmp_path, limit=-1)
