from __future__ import annotations

from pathlib import Path

import pytest

from miqanet.database.given_votes import GivenVote, read_votes
from miqanet.database.ties import Tie, write_ties
from miqanet.verdict import Quality

TIES = [Tie("a.dcm", 3, 2, 4), Tie("Müller, b.png", 0, 1, 2)]


def test_a_list_that_is_filled_in_is_a_file_of_votes(tmp_path: Path) -> None:
    path = tmp_path / "ties.csv"
    write_ties(path, TIES)
    rows = path.read_text(encoding="utf-8")
    assert rows.splitlines()[:2] == ["file,frame,rater,quality,votes_for_low,votes_in_all", "a.dcm,3,,,2,4"]
    path.write_text(rows.replace(",,,", ",senior,low,"), encoding="utf-8")
    assert read_votes(path) == [GivenVote(tie.file, tie.frame, "senior", Quality.LOW) for tie in TIES]


def test_a_list_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "ties.csv"
    write_ties(path, TIES[:1])
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"ties\.csv"):
        write_ties(path, TIES)
    assert path.read_bytes() == before
