import csv
from pathlib import Path

import pytest

from miqanet.screening.results import ResultRow
from miqanet.screening.series import SERIES_COLUMNS, SeriesTally, Tally, write_series


def row(
    path: str, frame: int = 0, *, low: bool = False, review: bool = False, series: str = "1.2"
) -> ResultRow:
    probability = 0.5 + (0.4 - 0.35 * review) * (1 if low else -1)
    quality = "low" if low else "high"
    return ResultRow(path, frame, quality, probability, review, series_instance_uid=series)


def tally(low: int, high: int, low_review: int = 0, high_review: int = 0) -> Tally:
    counts = Tally()
    cases = (low, True, False), (high, False, False), (low_review, True, True), (high_review, False, True)
    for number, is_low, review in cases:
        for _ in range(number):
            counts.add(row("a", low=is_low, review=review))
    return counts


@pytest.mark.parametrize(
    ("counts", "quality", "review"),
    [
        (tally(0, 30), "high", False),
        (tally(1, 29), "high", False),
        (tally(6, 24), "low", False),
        (tally(1, 0), "low", False),
        (tally(3, 24, low_review=3), "low", True),
        (tally(3, 24, high_review=3), "high", True),
        (tally(0, 0, low_review=1), "low", True),
        (tally(0, 0, high_review=1), "high", True),
    ],
)
def test_a_fifth_of_low_images_makes_a_series_low(counts: Tally, quality: str, review: bool) -> None:
    assert (counts.quality, counts.needs_review) == (quality, review)


def test_images_go_by_series_and_files_without_one_stand_alone() -> None:
    series = SeriesTally()
    for each in (
        row("a"),
        row("b", series="3.4"),
        row("c"),
        row("d.nii", 0, series=""),
        row("d.nii", 1, series=""),
    ):
        series.add(each)
    assert [counts.images for counts in series.tallies()] == [2, 1, 2]


def test_unreadable_frames_go_with_their_file() -> None:
    series = SeriesTally()
    for each in (
        ResultRow("a", 0, error="truncated"),
        row("a", 1),
        ResultRow("a", 2, error="truncated"),
        ResultRow("b", 0, error="empty"),
        ResultRow("c", 0, error="skipped: text"),
    ):
        series.add(each)
    (counts,) = series.tallies()
    assert (counts.images, counts.errors) == (1, 2)


def test_table_names_the_worst_image(tmp_path: Path) -> None:
    series = SeriesTally()
    for each in (row("a"), row("b", 4, low=True), row("c", low=True, review=True)):
        series.add(each)
    write_series(series.tallies(), tmp_path / "series.csv")
    with (tmp_path / "series.csv").open(newline="") as file:
        (cells,) = csv.DictReader(file)
    assert tuple(cells) == SERIES_COLUMNS
    assert (cells["worst_path"], cells["worst_frame"], cells["worst_probability_low"]) == ("b", "4", "0.9")
    assert (cells["quality"], cells["review"], cells["images"], cells["low_images"]) == (
        "low",
        "false",
        "3",
        "2",
    )


def test_carriage_return_in_a_path_is_kept(tmp_path: Path) -> None:
    series = SeriesTally()
    series.add(row("Icon\r"))
    write_series(series.tallies(), tmp_path / "series.csv")
    with (tmp_path / "series.csv").open(newline="", encoding="utf-8") as file:
        (cells,) = csv.DictReader(file)
    assert (cells["worst_path"], cells["worst_frame"]) == ("Icon\r", "0")
