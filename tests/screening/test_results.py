import math
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from miqanet.features.measures import NAMES, Measures
from miqanet.image import MRImage
from miqanet.screening.card import Card
from miqanet.screening.results import (
    COLUMNS,
    ResultRow,
    ResultsWriter,
    mend_results,
    read_results,
    write_parquet,
)


@pytest.fixture
def rows(card: Card, make_image: Callable[..., MRImage]) -> list[ResultRow]:
    measures = Measures(qi1=0.12345678, snr=9.5, efc=1e-12)
    image = make_image(
        'odd, "name"\n\udce9.dcm', 3, body_part="=HYPERLINK(1)", series_description="t1\x00 +C\u2028x"
    )
    return [
        ResultRow.of_verdict(image, card.verdict(0.7654321, [0.9, 0.95, 0.1]), measures),
        ResultRow.of_verdict(make_image(series_description="'quoted'"), card.verdict(0.1, [0.0, 0.0, 0.0])),
        ResultRow.of_error("b.txt", 0, "skipped: text"),
        ResultRow.of_error("Icon\r", 0, "skipped: text"),
    ]


def write(rows: list[ResultRow], path: Path) -> None:
    with ResultsWriter(path) as writer:
        for row in rows:
            writer.write(row)


def test_columns_begin_as_promised() -> None:
    assert COLUMNS[:7] == ("path", "frame", "quality", "probability_low", "review", "findings", "error")
    assert {"series_instance_uid", "study_instance_uid", "body_part", "model_version", "threshold"} < set(
        COLUMNS
    )


def test_row_says_what_the_verdict_says(rows: list[ResultRow]) -> None:
    assert (rows[0].quality, rows[0].probability_low, rows[0].review) == ("low", 0.765432, False)
    assert rows[0].findings == "ghosting:0.95;motion:0.90"
    assert rows[0].kinds == ("ghosting", "motion")
    assert (rows[0].rows, rows[0].columns, rows[0].threshold) == (64, 64, 0.5)


def test_row_holds_what_was_measured_and_nothing_else(rows: list[ResultRow]) -> None:
    assert COLUMNS[-len(NAMES) :] == NAMES
    assert (rows[0].qi1, rows[0].qi2, rows[0].snr, rows[0].efc) == (0.123457, None, 9.5, 1e-12)
    assert rows[0].measures.snr == 9.5
    assert math.isnan(rows[0].measures.qi2)
    assert all(getattr(row, name) is None for row in rows[1:] for name in NAMES)


def test_error_row_has_no_verdict(rows: list[ResultRow]) -> None:
    assert (rows[2].quality, rows[2].probability_low, rows[2].review, rows[2].skipped) == (
        "",
        None,
        False,
        True,
    )


def test_rows_come_back_from_csv_as_they_were(rows: list[ResultRow], tmp_path: Path) -> None:
    write(rows, tmp_path / "results.csv")
    assert list(read_results(tmp_path / "results.csv")) == rows


def test_appending_writes_no_second_header(rows: list[ResultRow], tmp_path: Path) -> None:
    write(rows[:1], tmp_path / "results.csv")
    write(rows[1:], tmp_path / "results.csv")
    assert list(read_results(tmp_path / "results.csv")) == rows


def test_text_of_a_file_is_no_formula_and_has_no_control_characters(
    rows: list[ResultRow], tmp_path: Path
) -> None:
    write(rows, tmp_path / "results.csv")
    text = (tmp_path / "results.csv").read_text(encoding="utf-8")
    assert ",'=HYPERLINK(1)," in text
    assert rows[0].series_description == "t1  +C x"


def test_incomplete_last_row_is_cut_off(rows: list[ResultRow], tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    ends = [0]
    for row in [None, *rows]:
        write([row] if row else [], path)
        ends.append(path.stat().st_size)
    whole = path.read_bytes()
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        mend_results(path)
        assert path.stat().st_size == max(end for end in ends if end <= cut)


def test_parquet_holds_the_same_rows(rows: list[ResultRow], tmp_path: Path) -> None:
    write_parquet(iter(rows * 3), tmp_path / "results.parquet", chunk=2)
    table = pq.read_table(tmp_path / "results.parquet")
    assert table.column_names == list(COLUMNS)
    assert [ResultRow(**values) for values in table.to_pylist()] == rows * 3


def test_rows_end_with_a_line_feed_alone(rows: list[ResultRow], tmp_path: Path) -> None:
    write(rows, tmp_path / "results.csv")
    assert b"\r\n" not in (tmp_path / "results.csv").read_bytes()
