from __future__ import annotations

from pathlib import Path

import pytest

from miqanet.database.csv_rows import read_rows


def test_rows_come_with_their_lines_and_short_ones_are_filled(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbfa,b\r\n1,"x\ny"\r\n2\r\n')
    assert list(read_rows(tmp_path / "a.csv", ("a", "b"))) == [
        (3, {"a": "1", "b": "x\ny"}),
        (4, {"a": "2", "b": ""}),
    ]


def test_missing_columns_are_named(tmp_path: Path) -> None:
    for content in ("", "a;b\n1;2\n"):
        (tmp_path / "a.csv").write_text(content)
        with pytest.raises(ValueError, match=r"a\.csv lacks the column a, b"):
            list(read_rows(tmp_path / "a.csv", ("b", "a")))


@pytest.mark.parametrize("content", [b"a\nJ\xfcrgen\n", b"\xff\xfea\0\n\0", b"a\n" + b"x" * 200_000])
def test_a_file_that_is_no_csv_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.csv is no CSV file in UTF-8"):
        list(read_rows(tmp_path / "a.csv", ("a",)))
