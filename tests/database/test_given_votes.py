from __future__ import annotations

from pathlib import Path

import pytest

from miqanet.database.given_votes import GivenVote, read_votes
from miqanet.verdict import Quality


def test_rows_are_votes_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("file,rater,quality,frame\na/b.png,R1,Low,\na/c.nii, R2 ,high,3\n\ufeff")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().removesuffix("\ufeff".encode()))
    assert read_votes(path) == [
        GivenVote("a/b.png", None, "R1", Quality.LOW),
        GivenVote("a/c.nii", 3, "R2", Quality.HIGH),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("file,rater\n", "lacks the column quality"),
        ("file,rater,quality\na.png,R1,low\na.png,R1,fair\n", "line 3: quality is neither low nor high"),
        ("file,rater,quality\na.png,,low\n", "line 2: file and rater may not be empty"),
        ("file,rater,quality\na.png\n", "line 2: file and rater may not be empty"),
        ("file,rater,quality,frame\na.png,R1,low,first\n", "line 2: frame is a number from 0"),
    ],
)
def test_a_row_that_is_no_vote_is_named(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "votes.csv").write_text(content)
    with pytest.raises(ValueError, match=reason):
        read_votes(tmp_path / "votes.csv")
