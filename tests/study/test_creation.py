from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from miqanet.database.schema import Rater
from miqanet.database.study_schema import Participant, Presentation, ProtocolRow, Purpose
from miqanet.study.creation import StudyExistsError, create_study, protocol_in_force
from miqanet.study.protocol import TrainingImage
from miqanet.study.raters_file import Invitee
from miqanet.web.tokens import token_hash

NOW = datetime(2026, 3, 1, tzinfo=UTC)
INVITEES = [Invitee("cat", False), Invitee("dan", False)]


def test_the_protocol_is_kept_as_it_is(make_study) -> None:
    study = make_study(training=(TrainingImage(3, "low", "text"),))
    with study.database.engine.connect() as connection:
        assert protocol_in_force(connection)[1] == study.protocol


def test_only_hashes_of_tokens_are_kept(make_study) -> None:
    study = make_study()
    with study.database.engine.connect() as connection:
        kept = dict(connection.execute(select(Participant.name, Participant.invitation_hash)).all())
    assert kept == {name: token_hash(token) for name, token in study.invitations.items()}
    assert len(set(study.invitations.values())) == 3


def test_a_share_of_raters_judges_an_image(make_study) -> None:
    study = make_study(images=9, raters=("ann", "ben", "cat"), per_image=2)
    with study.database.engine.connect() as connection:
        query = (
            select(Presentation.image_id, func.count())
            .where(Presentation.purpose == Purpose.RATING)
            .group_by(Presentation.image_id)
        )
        assert set(connection.execute(query).all()) == {(image, 2) for image in range(1, 10)}
        totals = connection.execute(select(Participant.name, Participant.total)).all()
    # Six images, and two of them again.
    assert sorted(totals) == [("ann", 8), ("ben", 8), ("boss", 0), ("cat", 8)]


def test_the_seed_decides_the_order(make_local_study) -> None:
    study = make_local_study()
    with study.database.engine.connect() as connection:
        orders = {
            name: list(
                connection.scalars(
                    select(Presentation.image_id)
                    .join(Participant, Participant.id == Presentation.participant_id)
                    .where(Participant.name == name)
                    .order_by(Presentation.position)
                )
            )
            for name in ("ann", "ben")
        }
    assert orders["ann"] != orders["ben"]
    assert study.protocol.seed == 3


def test_a_second_study_is_refused_and_the_first_stays(make_local_study) -> None:
    study = make_local_study()
    with pytest.raises(StudyExistsError, match="a study already"):
        create_study(study.database.engine, study.protocol, INVITEES, NOW)
    with study.database.engine.connect() as connection:
        assert connection.scalar(select(func.count(ProtocolRow.id))) == 1


def test_a_rater_whose_votes_were_imported_is_the_same_rater(make_database) -> None:
    database, protocol = make_database(6)
    with Session(database.engine) as session, session.begin():
        session.add(Rater(name="cat", simulated=False))
    create_study(database.engine, protocol, INVITEES, NOW)
    with database.engine.connect() as connection:
        assert connection.scalar(select(func.count(Rater.id))) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"per_image": 3}, "3 raters an image .* there are 2"),
        ({"training": (TrainingImage(99, "low", ""),)}, "not in the database"),
        ({"training": tuple(TrainingImage(n, "low", "") for n in (1, 2))}, "no images to rate"),
    ],
)
def test_what_cannot_be_done_leaves_nothing(make_database, changes: dict, message: str) -> None:
    database, protocol = make_database(2)
    with pytest.raises(ValueError, match=message):
        create_study(database.engine, replace(protocol, **changes), INVITEES, NOW)
    with database.engine.connect() as connection:
        assert connection.scalar(select(func.count(Participant.id))) == 0
        with pytest.raises(ValueError, match="no study"):
            protocol_in_force(connection)


def test_the_name_of_a_simulated_rater_is_refused(make_database) -> None:
    database, protocol = make_database(2)
    with Session(database.engine) as session, session.begin():
        session.add(Rater(name="cat", simulated=True))
    with pytest.raises(ValueError, match="cat is the name of a simulated rater"):
        create_study(database.engine, protocol, INVITEES, NOW)
