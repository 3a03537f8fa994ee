"""What is made up is said, and what people did is not called made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from miqanet.artifacts.phantom import phantom
from miqanet.database.build import build
from miqanet.database.labels import label_by_majority
from miqanet.database.png import encode_png
from miqanet.database.query import Database
from miqanet.database.raters import RATERS
from miqanet.database.records import ImageRecord, what_is_simulated
from miqanet.database.schema import Image, Label, Rater, Vote
from miqanet.evaluation.data import Data
from miqanet.verdict import Quality

REAL = ImageRecord(Path("x"), 1, "site", "brain", "T1w", low=True, harms={}, simulated=False)
RATED_BY_NOBODY = replace(REAL, label_simulated=True)
SPOILED = replace(REAL, simulated=True)
MADE_UP = replace(SPOILED, label_simulated=True)
NOBODY = ": no radiologist has rated these images"


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ([MADE_UP], "simulated artifacts and simulated labels" + NOBODY),
        ([SPOILED], "simulated artifacts"),
        ([RATED_BY_NOBODY], "simulated labels" + NOBODY),
        ([REAL], ""),
        ([REAL, MADE_UP], "partly simulated artifacts and partly simulated labels"),
        ([REAL, SPOILED], "partly simulated artifacts"),
    ],
)
def test_what_is_simulated_is_said_in_words(images, said):
    assert what_is_simulated(images) == said


def test_votes_are_of_those_who_gave_the_labels(tmp_path):
    (tmp_path / "clean").mkdir()
    (tmp_path / "clean" / "brain.png").write_bytes(encode_png(phantom((72, 64))))
    build(tmp_path / "clean", tmp_path / "out", low=3, high=3)
    assert {vote.rater for vote in Data.read(tmp_path / "out").votes} == {rater.name for rater in RATERS}
    with Database.open(tmp_path / "out") as database, Session(database.engine) as session, session.begin():
        session.execute(delete(Label))
        doctor = Rater(name="dr-1", simulated=False)
        session.add_all(
            Vote(image_id=image, rater=doctor, quality=Quality.LOW)
            for image in session.scalars(select(Image.id))
        )
        session.flush()
        label_by_majority(session, session.scalars(select(Image.id)).all())
    read = Data.read(tmp_path / "out")
    assert {vote.rater for vote in read.votes} == {"dr-1"}
    assert len(read.votes) == len(read.images) == 6
    assert read.simulated == "simulated artifacts"
