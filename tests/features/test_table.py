from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from miqanet.features import FEATURE_NAMES
from miqanet.features.brisque_release import ReleasedBrisque
from miqanet.features.extraction import FeatureRow
from miqanet.features.table import FeatureTable


def row(number: int) -> FeatureRow:
    vectors = np.full(24, float(number)), np.arange(36.0)
    return FeatureRow(f"{number}.png", number, 64, 70, "1.2", "1.2.3", "", vectors)


def test_rows_come_back_in_order_a_column_a_feature(tmp_path: Path) -> None:
    path = tmp_path / "features.parquet"
    with FeatureTable(path, ["bliinds2", "brisque"]) as table:
        for number in range(1500):
            table.write(row(number))
    read = pq.read_table(path)
    assert read.num_rows == 1500
    assert pq.ParquetFile(path).num_row_groups == 2
    assert read.column_names[-60:] == [*FEATURE_NAMES["bliinds2"], *FEATURE_NAMES["brisque"]]
    assert read["frame"].to_pylist() == list(range(1500))
    assert read["bliinds2_24"][7].as_py() == 7
    assert read["brisque_36"][7].as_py() == 35


def test_what_is_missing_is_null_not_nan(tmp_path: Path) -> None:
    path = tmp_path / "features.parquet"
    with FeatureTable(path, ["bliinds2", "brisque"]) as table:
        table.write(FeatureRow("bad.png", 0, error="empty file: zero bytes"))
        table.write(FeatureRow("small.png", 0, 6, 6, "", "", "too small", (np.zeros(24), None)))
    bad, small = pq.read_table(path).to_pylist()
    assert bad["error"] == "empty file: zero bytes"
    assert bad["rows"] is None
    assert bad["brisque_1"] is None
    assert (small["bliinds2_1"], small["brisque_1"]) == (0, None)


def test_scores_of_the_release_are_a_column(tmp_path: Path) -> None:
    released = ReleasedBrisque(
        np.zeros(36), np.full(36, 100.0), -1, 1, np.full((1, 36), -1.0), np.array([10.0]), 0.05, -7.0
    )
    path = tmp_path / "features.parquet"
    with FeatureTable(path, ["bliinds2", "brisque"], released=released) as table:
        table.write(row(1))
        table.write(FeatureRow("bad.png", 0, error="empty"))
    scores = pq.read_table(path)["brisque_score"].to_pylist()
    assert scores == [pytest.approx(released.score(np.arange(36.0))), None]
