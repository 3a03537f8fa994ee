from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from miqanet.consensus import Ratings, fleiss_kappa, gwet_ac1, krippendorff_alpha
from miqanet.database.study_schema import Participant, Presentation, Purpose
from miqanet.study.progress import progress


def found(study):
    with study.database.engine.connect() as connection:
        return progress(connection, study.protocol)


def test_before_the_first_vote_nothing_is_defined(make_local_study) -> None:
    before = found(make_local_study())
    assert (before.images, before.images_complete, before.ties) == (6, 0, 0)
    assert [each.last_vote for each in before.raters] == [None, None]
    assert set(before.agreement.values()) == {None}
    assert json.dumps(before.as_json(), allow_nan=False)


def test_figures_are_the_consensus_packages(make_local_study) -> None:
    study = make_local_study()
    said = {"ann": dict.fromkeys(range(1, 7), "low"), "ben": dict.fromkeys(range(1, 7), "low")}
    said["ann"][2] = said["ben"][2] = said["ben"][5] = "high"
    with study.database.engine.connect() as connection:
        shown = {row.id: row for row in connection.execute(select(Presentation))}
        names = dict(connection.execute(select(Participant.id, Participant.name)).all())
    for name in ("ann", "ben"):
        client = study.client(name)
        first_repeat = True
        while current := client.work()["current"]:
            row = shown[current["presentation"]]
            verdict = said[names[row.participant_id]][row.image_id]
            if row.purpose is Purpose.REPEAT and first_repeat:
                # Of two repeats, the first is judged another way.
                verdict, first_repeat = "low" if verdict == "high" else "high", False
            client.vote(verdict, dwell_ms=3000)
    after = found(study)
    ratings = Ratings.of([[0, 0], [1, 1], [0, 0], [0, 0], [0, 1], [0, 0]], categories=(0, 1))
    assert after.agreement["percent"] == pytest.approx(5 / 6)
    assert after.agreement["fleiss_kappa"] == pytest.approx(fleiss_kappa(ratings))
    assert after.agreement["alpha"] == pytest.approx(krippendorff_alpha(ratings))
    assert after.agreement["ac1"] == pytest.approx(gwet_ac1(ratings))
    assert (after.images_complete, after.ties) == (6, 1)
    assert [each.intra_rater_agreement for each in after.raters] == [0.5, 0.5]
    assert [each.votes_per_minute for each in after.raters] == [20, 20]
    assert [each.low_share for each in after.raters] == [pytest.approx(5 / 6), pytest.approx(4 / 6)]
