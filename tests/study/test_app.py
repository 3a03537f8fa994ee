from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from miqanet.database.png import encode_png, read_png
from miqanet.database.schema import Image, Rater, Vote
from miqanet.database.study_schema import Participant, Presentation, Purpose, Reading
from miqanet.study.protocol import TrainingImage


def rows(study, query):
    with study.database.engine.connect() as connection:
        return connection.execute(query).all()


def order(study, name: str):
    """Return a rater's presentations in order."""
    return rows(
        study,
        select(Presentation, Image.path)
        .join(Participant, Participant.id == Presentation.participant_id)
        .join(Image, Image.id == Presentation.image_id)
        .where(Participant.name == name)
        .order_by(Presentation.position),
    )


def test_a_rater_goes_through_the_recorded_order_to_the_end(make_study) -> None:
    study = make_study()
    ann = study.client("ann")
    expected = order(study, "ann")
    assert len(expected) == 8
    assert [row.purpose for row in expected].count(Purpose.REPEAT) == 2
    verdicts = ["low", "high", "low", "low", "high", "high", "low", "high"]
    for place, (row, verdict) in enumerate(zip(expected, verdicts, strict=True)):
        work = ann.work()
        assert (work["done"], work["total"], work["training"]) == (place, 8, False)
        assert work["current"]["presentation"] == row.id
        following = work["next"] and work["next"]["presentation"]
        assert following == (expected[place + 1].id if place < 7 else None)
        answer = ann.vote(verdict, tags=["motion"] if verdict == "low" else [], confidence=2)
        assert answer.status_code == 200
        assert answer.json()["saved"]
        assert answer.json()["feedback"] is None
        assert answer.json()["work"] == ann.work()
    assert ann.work()["current"] is None
    assert ann.work()["done"] == 8

    readings = rows(study, select(Reading).order_by(Reading.id))
    assert [each.presentation_id for each in readings] == [row.id for row in expected]
    assert [each.category for each in readings] == verdicts
    assert readings[0].tags == ["motion"]
    assert readings[0].confidence == 2
    assert readings[0].dwell_ms == 1500
    assert readings[0].view["zoom"] == 1.5
    # What counts is beside the readings; repeats do not.
    votes = rows(study, select(Vote.id, Vote.image_id, Vote.quality, Rater.name).join(Vote.rater))
    assert {(vote.image_id, str(vote.quality)) for vote in votes} == {
        (row.image_id, verdict)
        for row, verdict in zip(expected, verdicts, strict=True)
        if row.purpose is Purpose.RATING
    }
    assert {vote.id for vote in votes} == {each.vote_id for each in readings} - {None}
    assert {vote.name for vote in votes} == {"ann"}


def test_pixels_are_the_images_sixteen_bits(make_local_study) -> None:
    study = make_local_study()
    ann = study.client("ann")
    current = ann.work()["current"]
    answer = ann.get(current["pixels"])
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "no-store"
    pixels = np.frombuffer(answer.content, "<u2").reshape(current["rows"], current["columns"])
    path = study.database.folder / order(study, "ann")[0].path
    np.testing.assert_array_equal(pixels, np.round(read_png(path) * 65535))
    assert pixels.max() == 65535


@pytest.mark.parametrize("kind", ["missing", "no picture", "another size", "a link", "outside"])
def test_a_file_that_cannot_be_shown_is_told_and_nothing_else_is_sent(
    make_local_study, tmp_path: Path, caplog, kind: str
) -> None:
    study = make_local_study()
    ann = study.client("ann")
    current = order(study, "ann")[0]
    path = study.database.folder / current.path
    content = path.read_bytes()
    elsewhere = tmp_path / "patient.png"
    elsewhere.write_bytes(content)
    path.unlink()
    match kind:
        case "no picture":
            path.write_text("secret")
        case "another size":
            path.write_bytes(encode_png(np.ones((4, 4))))
        case "a link":
            path.symlink_to(elsewhere)
        case "outside":
            with study.database.engine.begin() as connection:
                connection.execute(
                    update(Image).where(Image.id == current.image_id).values(path="../patient.png")
                )
    answer = ann.get(f"/api/pixels/{current.id}")
    assert answer.status_code == 404
    assert "Tell who runs the study" in answer.json()["error"]
    assert "secret" not in answer.text
    assert "cannot be shown" in caplog.text


def test_images_may_be_on_another_disk(make_local_study, tmp_path: Path) -> None:
    study = make_local_study()
    images = study.database.folder / "images"
    images.rename(tmp_path / "disk")
    images.symlink_to(tmp_path / "disk")
    ann = study.client("ann")
    assert ann.get(ann.work()["current"]["pixels"]).status_code == 200


def test_only_current_next_and_last_image_are_shown(make_local_study) -> None:
    study = make_local_study()
    ann = study.client("ann")
    own = [row.id for row in order(study, "ann")]
    for _ in range(3):
        assert ann.vote("low").status_code == 200
    status = [ann.get(f"/api/pixels/{presentation}").status_code for presentation in own]
    assert status == [404, 404, 200, 200, 200, 404, 404, 404]


def test_a_double_submit_counts_once_and_gets_the_same_answer(make_study) -> None:
    study = make_study()
    ann = study.client("ann")
    presentation = ann.work()["current"]["presentation"]
    submission = str(uuid.uuid4())
    first = ann.vote("low", submission=submission, presentation=presentation)
    again = ann.vote("low", submission=submission, presentation=presentation)
    assert first.json() == again.json()
    assert len(rows(study, select(Reading))) == len(rows(study, select(Vote))) == 1


def test_a_vote_on_another_image_than_the_current_is_refused(make_study) -> None:
    study = make_study()
    ann = study.client("ann")
    first, second = (row.id for row in order(study, "ann")[:2])
    assert ann.vote("low", presentation=second).status_code == 409
    assert ann.vote("low", presentation=first).status_code == 200
    assert ann.vote("high", presentation=first).status_code == 409
    assert len(rows(study, select(Reading))) == 1


def test_undo_shows_the_last_image_again_and_a_new_vote_is_a_new_row(make_study) -> None:
    study = make_study()
    ann = study.client("ann")
    assert not ann.work()["can_undo"]
    assert ann.post("/api/undo").status_code == 409
    ann.vote("low")
    ann.vote("low")
    last = order(study, "ann")[1].id
    assert ann.work()["can_undo"]
    undone = ann.post("/api/undo")
    assert undone.status_code == 200
    assert undone.json()["work"] == ann.work()
    assert ann.work()["current"]["presentation"] == last
    assert ann.work()["done"] == 1
    assert not ann.work()["can_undo"]
    assert ann.post("/api/undo").status_code == 409
    assert ann.vote("high", presentation=last).status_code == 200
    readings = rows(study, select(Reading).where(Reading.presentation_id == last).order_by(Reading.id))
    assert [each.category for each in readings] == ["low", "high"]
    assert len(rows(study, select(Vote))) == 3
    assert ann.work()["can_undo"]


def test_a_submission_that_was_undone_is_not_taken_again(make_study) -> None:
    study = make_study()
    ann = study.client("ann")
    presentation, submission = ann.work()["current"]["presentation"], str(uuid.uuid4())
    ann.vote("low", presentation=presentation, submission=submission)
    ann.post("/api/undo")
    assert ann.vote("low", presentation=presentation, submission=submission).status_code == 200
    assert ann.work()["current"]["presentation"] == presentation
    assert len(rows(study, select(Reading))) == 1


def test_training_comes_first_gives_feedback_and_does_not_count(make_study) -> None:
    training = (TrainingImage(2, "low", "Ghosts in the air."), TrainingImage(5, "high", "Good."))
    study = make_study(training=training)
    ann = study.client("ann")
    work = ann.work()
    assert (work["done"], work["total"], work["training"]) == (0, 2, True)
    first = ann.vote("high").json()
    assert first["feedback"] == {"expected": "low", "correct": False, "text": "Ghosts in the air."}
    assert not first["work"]["can_undo"]
    assert ann.post("/api/undo").status_code == 409
    submission, presentation = str(uuid.uuid4()), ann.work()["current"]["presentation"]
    second = ann.vote("high", submission=submission, presentation=presentation).json()
    assert second["feedback"]["correct"]
    assert second == ann.vote("high", submission=submission, presentation=presentation).json()
    work = ann.work()
    assert (work["done"], work["total"], work["training"]) == (0, 5, False)
    assert ann.post("/api/undo").status_code == 409
    assert not rows(study, select(Vote))
    shown = order(study, "ann")
    assert [row.image_id for row in shown[:2]] == [2, 5]
    assert not {row.image_id for row in shown[2:]} & {2, 5}


def config(client) -> str:
    return re.search(r'id="config">(.*?)</script>', client.get("/").text, re.DOTALL)[1]


def test_the_page_gets_the_protocol_and_nothing_of_images_or_votes(make_local_study) -> None:
    study = make_local_study()
    content = json.loads(config(study.client("ann")))
    assert content["question"] == study.protocol.question
    assert content["protocol_version"] == study.protocol.version
    assert [each["value"] for each in content["classes"]] == ["low", "high"]
    assert [each["key"] for each in content["tags"]] == list("1234567890")
    assert [each["value"] for each in content["confidence"]] == [1, 2, 3]
    assert content["minimum_viewing_ms"] == 100
    assert content["rater"] == "ann"
    assert set(content) == {
        "question", "classes", "tags", "confidence", "minimum_viewing_ms", "rater", "protocol_version"
    }  # fmt: skip


def test_a_verdict_too_soon_or_unknown_is_malformed(make_local_study) -> None:
    study = make_local_study()
    ann = study.client("ann")
    for wrong in (
        {"dwell_ms": 99},
        {"dwell_ms": -1},
        {"quality": "medium"},
        {"tags": ["motion", "motion"]},
        {"tags": ["dragons"]},
        {"confidence": 7},
        {"submission": "once"},
        {"presentation": 2**40},
        {"view": {"level": 1}},
        {"extra": 1},
    ):
        answer = ann.post("/api/votes", json=ann.body(presentation=1) | wrong)
        assert answer.status_code == 422, wrong
        assert set(answer.json()) == {"error"}
    assert ann.post("/api/votes", content=b"{").status_code == 422
    assert not rows(study, select(Reading))


def test_work_goes_on_in_another_browser(make_study) -> None:
    study = make_study()
    ann = study.client("ann")
    ann.vote("low")
    elsewhere = study.client("ann")
    assert elsewhere.work() == ann.work()
    elsewhere.vote("high")
    assert ann.work()["done"] == 2
    assert ann.post("/logout", follow_redirects=False).status_code == 303
    assert ann.get("/api/work").status_code == 401
    assert elsewhere.work()["done"] == 2


def test_progress_is_live_for_the_administrator(make_study, monkeypatch) -> None:
    monkeypatch.setattr("miqanet.study.room._PROGRESS_SECONDS", -1)
    study = make_study()
    boss = study.client("boss")
    assert boss.get("/", follow_redirects=False).headers["location"] == "/admin"
    assert "Eight doctors" in boss.get("/admin").text
    before = boss.get("/admin/api/progress").json()
    assert [(each["rater"], each["done"], each["total"]) for each in before["raters"]] == [
        ("ann", 0, 8),
        ("ben", 0, 8),
    ]
    assert before["agreement"] == {"percent": None, "fleiss_kappa": None, "alpha": None, "ac1": None}
    for name, verdict in (("ann", "low"), ("ben", "high")):
        client = study.client(name)
        while client.work()["current"]:
            assert client.vote(verdict).status_code == 200
    after = boss.get("/admin/api/progress").json()
    assert (after["images"], after["images_complete"], after["ties"]) == (6, 6, 6)
    assert after["agreement"]["percent"] == 0
    ann = after["raters"][0]
    assert (ann["done"], ann["low_share"], ann["intra_rater_agreement"]) == (8, 1, 1)
    assert ann["votes_per_minute"] == 40
    assert ann["last_vote"].endswith("+00:00")


def test_a_signed_out_visitor_is_told_to_ask_for_the_link(make_local_study) -> None:
    page = make_local_study().client().get("/")
    assert page.status_code == 401
    assert "invitation link" in page.text
