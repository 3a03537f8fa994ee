from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from miqanet.database.study_schema import StudySession
from miqanet.study.accounts import account, begin_session, end_session, invite
from miqanet.web.sessions import LIFETIME

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_an_invitation_opens_a_session_on_any_machine(make_study) -> None:
    study = make_study()
    with study.database.engine.begin() as connection:
        tokens = [begin_session(connection, study.invitations["ann"], NOW) for _ in range(2)]
        assert len(set(tokens)) == 2
        for token in tokens:
            found = account(connection, token, NOW)
            assert (found.name, found.administrator) == ("ann", False)
        boss = begin_session(connection, study.invitations["boss"], NOW)
        assert account(connection, boss, NOW).administrator


def test_other_tokens_open_nothing(make_study) -> None:
    study = make_study()
    with study.database.engine.begin() as connection:
        assert begin_session(connection, "x", NOW) is None
        token = begin_session(connection, study.invitations["ann"], NOW)
        for wrong in ("", "x", study.invitations["ann"], token + "x"):
            assert account(connection, wrong, NOW) is None


def test_a_session_ends_with_its_time_or_when_told(make_study) -> None:
    study = make_study()
    with study.database.engine.begin() as connection:
        first, second = (begin_session(connection, study.invitations["ann"], NOW) for _ in range(2))
        assert account(connection, first, NOW + LIFETIME) is not None
        assert account(connection, first, NOW + LIFETIME + timedelta(seconds=1)) is None
        end_session(connection, first)
        assert account(connection, first, NOW) is None
        assert account(connection, second, NOW) is not None


def test_expired_sessions_are_forgotten(make_study) -> None:
    study = make_study()
    with study.database.engine.begin() as connection:
        begin_session(connection, study.invitations["ann"], NOW)
        begin_session(connection, study.invitations["ben"], NOW + LIFETIME + timedelta(days=1))
        assert connection.scalar(select(func.count(StudySession.id))) == 1


def test_a_new_invitation_ends_the_old_one_and_its_sessions(make_study) -> None:
    study = make_study()
    with study.database.engine.begin() as connection:
        mine, other = (begin_session(connection, study.invitations[name], NOW) for name in ("ann", "ben"))
        new = invite(connection, "ann")
        assert account(connection, mine, NOW) is None
        assert account(connection, other, NOW) is not None
        assert begin_session(connection, study.invitations["ann"], NOW) is None
        assert begin_session(connection, new, NOW) is not None
        with pytest.raises(ValueError, match="nobody in the study is called zoe"):
            invite(connection, "zoe")
