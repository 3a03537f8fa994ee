from __future__ import annotations

from pathlib import Path

import pytest

from miqanet.study.protocol import LOW_HIGH, TrainingImage
from miqanet.study.training_file import read_training


@pytest.fixture
def read(tmp_path: Path, make_local_study):
    engine = make_local_study().database.engine

    def read(text: str) -> tuple[TrainingImage, ...]:
        path = tmp_path / "training.csv"
        path.write_text(text, encoding="utf-8")
        return read_training(path, engine, LOW_HIGH)

    return read


def test_images_come_in_the_order_of_the_file(read) -> None:
    assert read(
        "image,expected,text\nimages/secret-file-03.png,low,Ghosts.\nimages/secret-file-00.png,high,\n"
    ) == (TrainingImage(4, "low", "Ghosts."), TrainingImage(1, "high", ""))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,text\n", "lacks the column expected"),
        ("image,expected,text\nx.png,low,\n", "line 2: the database has no image x.png"),
        ("image,expected,text\nimages/secret-file-00.png,bad,\n", "line 2: expected is one of low, high"),
        ("image,expected,text\n" + "images/secret-file-00.png,low,\n" * 2, "line 3: .* is there twice"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(read, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(text)
