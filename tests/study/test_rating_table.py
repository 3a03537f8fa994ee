from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from miqanet.study.rating_table import RatingTable, read_rating_table


@pytest.fixture
def table(tmp_path: Path):
    """Write a table and read it."""

    def read(text: str, *options: object, encoding: str = "utf-8") -> RatingTable:
        path = tmp_path / "scores.csv"
        path.write_text(text, encoding=encoding)
        return read_rating_table(path, *options)

    return read


def test_columns_with_text_and_known_names_are_items_and_the_rest_raters(table) -> None:
    read = table("SUBJECT,Run,Ann,Ben,Image\n1,pre,4,3,7\n2,post,5,5,8\n")
    assert read.item_columns == ("SUBJECT", "Run", "Image")
    assert read.ratings.raters == ("Ann", "Ben")
    assert read.ratings.items == ("1 pre 7", "2 post 8")
    np.testing.assert_array_equal(read.ratings.values, [[4, 3], [5, 5]])
    assert read.ratings.categories == (3, 4, 5)


@pytest.mark.parametrize("name", ["item", "Image", "ID", "subject", "Acquisition"])
def test_names_of_items_in_any_case(table, name: str) -> None:
    assert table(f"A,B,{name}\n1,2,3\n2,2,4\n").item_columns == (name,)


def test_na_and_nothing_are_missing(table) -> None:
    read = table("id,A,B,C\nx,1,n/a,2\ny,,2,N/A\nz,NA, nan ,1\n")
    np.testing.assert_array_equal(
        read.ratings.values, [[1, np.nan, 2], [np.nan, 2, np.nan], [np.nan, np.nan, 1]]
    )
    assert read.ratings.raters == ("A", "B", "C")


def test_without_an_item_column_rows_are_numbered(table) -> None:
    read = table("A,B\n1,2\n2,2\n\n1,1\n")
    assert read.item_columns == ()
    assert read.ratings.items == ("1", "2", "3")


def test_raters_can_be_chosen(table) -> None:
    text = "id,age,A,B,C\nx,61,1,2,3\ny,70,2,2,3\n"
    assert table(text).ratings.raters == ("age", "A", "B", "C")
    for chosen in (["A", "B"], ["A,B"], ["A, B"]):
        read = table(text, (), chosen)
        assert read.ratings.raters == ("A", "B")
        assert read.item_columns == ("id",)
        assert read.ignored_columns == ("age", "C")


def test_items_can_be_chosen(table) -> None:
    text = "subject,slice,comment,A,B\n1,5,good,1,2\n1,6,bad,2,2\n"
    read = table(text, ["slice"])
    assert read.item_columns == ("slice",)
    assert read.ratings.items == ("5", "6")
    assert read.ratings.raters == ("A", "B")
    assert read.ignored_columns == ("subject", "comment")
    assert table(text, ["subject", "slice"]).ratings.items == ("1 5", "1 6")


def test_a_column_that_is_named_like_an_item_can_be_a_rater(table) -> None:
    read = table("image,ID,A\np,1,2\nq,2,2\n", (), ["ID", "A"])
    assert read.ratings.raters == ("ID", "A")
    assert read.item_columns == ("image",)


def test_empty_columns_and_running_numbers_are_no_raters(table) -> None:
    read = table(",A,B,,\n0,1,2,,\n1,2,2,,\n")
    assert read.ratings.raters == ("A", "B")
    assert read.ratings.items == ("0", "1")
    assert table("id,A,B,C\nx,1,2,\ny,2,2,n/a\n").ignored_columns == ("C",)


def test_spreadsheets_of_other_countries_are_read(table) -> None:
    text = "Bild;Prüfer A;Prüfer B\nx, links;1;2\ny;2;2\n"
    read = table(text, encoding="utf-8-sig")
    assert read.ratings.raters == ("Prüfer A", "Prüfer B")
    assert read.ratings.items == ("x, links", "y")
    assert table("id\tA\tB\nx\t1\t2\ny\t1\t1\n").ratings.raters == ("A", "B")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", (), "no row below"),
        ("id,A,B\n", (), "no row below"),
        ("id,A\nx,1\n", (), r"not 1 \(A\); .* name: id"),
        ("id;A;B\n1;3,5;3\n2;2;2\n", (), "name: id, A"),
        ("id,A,B\nx,1,2\ny,1\n", (), "line 3: 2 cells, but the header has 3"),
        ("id,A,A\nx,1,2\n", (), "two columns are called 'A'"),
        ("id,A,B\nx,1,2\n", (["case"],), "no column 'case' among id, A, B"),
        ("id,A,B\nx,1,2\n", ((), ["A,C"]), "no column 'C'"),
        ("id,A,B\nx,1,2\n", (["A"], ["A", "B"]), "both item and rater"),
        ("id,A,B\nx,1,2\ny,1,2?\n", ((), ["A", "B"]), "line 3: no number in the column of rater 'B'"),
        ("id,A,B\nx,1,inf\n", ((), ["A", "B"]), "line 2: no number"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(table, text: str, options: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        table(text, *options)
    assert "scores.csv" in str(refused.value)


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_bytes(b"\xff\xfe\x00id")
    with pytest.raises(ValueError, match="UTF-8"):
        read_rating_table(path)


@pytest.mark.pool
@pytest.mark.parametrize(
    ("name", "items"), [("moco_T1_MPR_scores.csv", 220), ("moco_T1_TIRM_scores.csv", 132)]
)
def test_real_scores_are_read_as_they_are(pool: Path, name: str, items: int) -> None:
    path = pool.parent / "ratings" / name
    if not path.is_file():
        pytest.skip(f"no ratings at {path}")
    read = read_rating_table(path)
    assert read.item_columns == ("Subject", "Acquisition")
    assert read.ratings.raters == ("Radiographer1", "Radiographer2", "Radiologist1", "Radiologist2")
    assert len(read.ratings) == len(set(read.ratings.items)) == items
    assert read.ratings.given.all()
    assert read.ratings.categories == (1, 2, 3, 4, 5)
