from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from miqanet.database.schema import Label
from miqanet.database.study_schema import Participant, Presentation, Purpose
from miqanet.study.labels import MAJORITY, SENIOR_READER, Tie, write_labels
from miqanet.study.protocol import TrainingImage, graded_scale
from miqanet.verdict import Quality

RATERS = ("ann", "ben", "cat")


def path(image: int) -> str:
    return f"images/secret-file-{image - 1:02}.png"


def vote_all(study, verdicts: dict[str, dict[int, str]], repeats: str | None = None) -> None:
    """Let raters say of images what is asked, and `repeats` of all they see again."""
    with study.database.engine.connect() as connection:
        query = select(Participant.name, Presentation).join(
            Presentation, Presentation.participant_id == Participant.id
        )
        shown = {(row.name, row.id): row for row in connection.execute(query)}
    for name, images in verdicts.items():
        client = study.client(name)
        while current := client.work()["current"]:
            row = shown[name, current["presentation"]]
            again = row.purpose is Purpose.REPEAT and repeats
            answer = client.vote(again or images[row.image_id], presentation=row.id)
            assert answer.status_code == 200


def written(study) -> dict[int, tuple]:
    with study.database.engine.connect() as connection:
        rows = connection.execute(select(Label)).all()
    return {
        row.image_id: (str(row.quality), row.provenance, row.votes_for_low, row.votes_in_all) for row in rows
    }


def label(study, **options):
    with study.database.engine.begin() as connection:
        return write_labels(connection, study.protocol, **options)


@pytest.fixture
def rated(make_study):
    study = make_study(images=4, raters=RATERS, per_image=3)
    verdicts = {
        "ann": {1: "low", 2: "high", 3: "low", 4: "high"},
        "ben": {1: "low", 2: "high", 3: "high", 4: "low"},
        "cat": {1: "low", 2: "low", 3: "high", 4: "low"},
    }
    # Were repeats to count, there would be more low images.
    vote_all(study, verdicts, repeats="low")
    return study


def test_labels_are_the_majority_of_first_readings(rated) -> None:
    summary = label(rated)
    assert written(rated) == {
        1: ("low", MAJORITY, 3, 3),
        2: ("high", MAJORITY, 1, 3),
        3: ("high", MAJORITY, 1, 3),
        4: ("low", MAJORITY, 2, 3),
    }
    assert (summary.low, summary.high, summary.decided, summary.ties, summary.incomplete) == (2, 2, 0, (), 0)


def test_training_reads_the_labels_without_a_file_in_between(rated) -> None:
    label(rated)
    images = {image.image: image for image in rated.database.images()}
    assert [images[number].low for number in (1, 2, 3, 4)] == [True, False, False, True]
    assert images[2].low_votes == pytest.approx(1 / 3)


def test_labelling_again_changes_nothing(rated) -> None:
    first = label(rated)
    before = written(rated)
    assert label(rated) == first
    assert written(rated) == before


def test_incomplete_images_wait_unless_fewer_votes_will_do(make_study) -> None:
    study = make_study(images=4, raters=RATERS, per_image=3)
    vote_all(study, {"ann": dict.fromkeys(range(1, 5), "low")})
    assert label(study).incomplete == 4
    assert written(study) == {}
    assert label(study, at_least=1).low == 4
    assert label(study).low == 0
    assert written(study) == {}


def test_ties_wait_for_a_senior_reader_whose_decision_stays(make_study) -> None:
    study = make_study(images=4)
    vote_all(
        study, {"ann": dict.fromkeys(range(1, 5), "low"), "ben": {1: "low", 2: "high", 3: "high", 4: "low"}}
    )
    summary = label(study)
    assert summary.ties == (Tie(path(2), 1, 2), Tie(path(3), 1, 2))
    assert set(written(study)) == {1, 4}
    decided = label(study, decisions={path(3): Quality.LOW})
    assert decided.ties == (Tie(path(2), 1, 2),)
    assert decided.decided == 1
    # It comes from no votes: training takes the decision, and not the split vote.
    assert written(study)[3] == ("low", SENIOR_READER, None, None)
    assert label(study, decisions={path(2): Quality.HIGH}).decided == 2
    assert label(study).ties == ()
    assert written(study)[2] == ("high", SENIOR_READER, None, None)
    assert label(study, decisions={path(2): Quality.LOW}).low == 4


def test_a_decision_outlasts_a_time_with_too_few_votes(make_study) -> None:
    study = make_study(images=4, raters=RATERS, per_image=3)
    vote_all(study, {"ann": dict.fromkeys(range(1, 5), "low"), "ben": dict.fromkeys(range(1, 5), "high")})
    assert label(study, at_least=2, decisions={path(3): Quality.LOW}).decided == 1
    waiting = label(study)
    assert (waiting.low, waiting.high, waiting.decided, waiting.incomplete) == (1, 0, 1, 3)
    assert written(study) == {3: ("low", SENIOR_READER, None, None)}
    again = label(study, at_least=2)
    assert (again.decided, len(again.ties)) == (1, 3)


def test_only_ties_are_decided(rated) -> None:
    with pytest.raises(ValueError, match=r"secret-file-00.png is not up for adjudication"):
        label(rated, decisions={path(1): Quality.HIGH})
    assert written(rated) == {}


def test_labels_of_others_are_replaced_only_when_told(rated) -> None:
    with rated.database.engine.begin() as connection:
        connection.execute(insert(Label), {"image_id": 2, "quality": Quality.LOW, "provenance": "a rule"})
    with pytest.raises(ValueError, match="have labels by a rule already"):
        label(rated)
    assert written(rated) == {2: ("low", "a rule", None, None)}
    label(rated, replace=True)
    assert written(rated)[2] == ("high", MAJORITY, 1, 3)


def test_an_undone_vote_does_not_count(make_study) -> None:
    study = make_study(images=4, per_image=1, raters=("ann",), repeats=0)
    ann = study.client("ann")
    for _ in range(4):
        ann.vote("low")
    ann.post("/api/undo")
    assert label(study).low == 3
    ann.vote("high")
    assert (label(study).low, label(study).high) == (3, 1)


def test_grades_are_labels_by_the_class_that_they_belong_to(make_study) -> None:
    study = make_study(images=2, raters=RATERS, per_image=3, categories=graded_scale(5))
    verdicts = {"ann": {1: "1", 2: "3"}, "ben": {1: "2", 2: "5"}, "cat": {1: "5", 2: "1"}}
    vote_all(study, verdicts)
    label(study)
    assert written(study) == {1: ("low", MAJORITY, 2, 3), 2: ("high", MAJORITY, 1, 3)}


def test_training_images_keep_what_they_have(make_study) -> None:
    study = make_study(images=3, raters=("ann",), per_image=1, training=(TrainingImage(1, "low", ""),))
    with study.database.engine.begin() as connection:
        connection.execute(insert(Label), {"image_id": 1, "quality": Quality.LOW, "provenance": "a rule"})
    vote_all(study, {"ann": dict.fromkeys((1, 2, 3), "high")})
    label(study)
    assert {image: row[1] for image, row in written(study).items()} == {1: "a rule", 2: MAJORITY, 3: MAJORITY}
