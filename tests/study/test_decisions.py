from __future__ import annotations

from pathlib import Path

import pytest

from miqanet.study.decisions import read_decisions, write_ties
from miqanet.study.labels import Tie
from miqanet.verdict import Quality


def test_a_list_of_ties_comes_back_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "ties.csv"
    write_ties(path, [Tie("images/a, b.png", 4, 8), Tie("images/c.png", 1, 2)])
    assert read_decisions(path) == {}
    header, first, second = path.read_text(encoding="utf-8").splitlines()
    assert header == "image,quality,votes_for_low,votes_in_all"
    path.write_text("\n".join((header, first.replace(",,", ", Low,"), second)), encoding="utf-8-sig")
    assert read_decisions(path) == {"images/a, b.png": Quality.LOW}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image\nx\n", "lacks the column quality"),
        ("image,quality\nx,bad\n", "line 2: quality is low, high or empty"),
        ("image,quality\nx,\udce4\n", r"ties\.csv is no CSV file in UTF-8"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "ties.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=message):
        read_decisions(path)
