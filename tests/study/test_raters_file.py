from __future__ import annotations

from pathlib import Path

import pytest

from miqanet.study.raters_file import Invitee, read_raters


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str, encoding: str = "utf-8") -> list[Invitee]:
        path = tmp_path / "raters.csv"
        path.write_text(text, encoding=encoding)
        return read_raters(path)

    return read


def test_a_name_a_line_will_do(read) -> None:
    assert read("reader 1\n\n# retired\nreader 2\n") == [
        Invitee("reader 1", False),
        Invitee("reader 2", False),
    ]


def test_a_table_names_the_administrator(read) -> None:
    expected = [Invitee("Prüfer, A", False), Invitee("chief", True)]
    assert read('name,role\n"Prüfer, A",rater\nchief,Admin\n', "utf-8-sig") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rater"),
        ("chief,admin\n", "no rater"),
        ("a\na\n", "line 2: a is there twice"),
        ("a,boss\n", "line 1: a line is a name"),
        ("a,rater,x\n", "line 1: a line is a name"),
        (",admin\n", "line 1: a name has"),
        ("a\x07b\n", "line 1: a name has"),
        ("a" * 81, "line 1: a name has"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(read, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(text)


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "raters.xlsx"
    path.write_bytes(b"PK\xff\xfe")
    with pytest.raises(ValueError, match="UTF-8"):
        read_raters(path)
