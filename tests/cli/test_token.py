from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from miqanet.hospital.node_database import open_node_database
from miqanet.hospital.node_schema import AuditMessage
from miqanet.hospital.tokens import Tokens


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "miqanet.toml"
    path.write_text(
        '[[dicom.peers]]\nae_title = "A"\naddresses = ["10.0.0.1"]\n[storage]\nspool = "spool"\n',
        encoding="utf-8",
    )
    return path


def test_a_token_is_printed_once_and_lets_its_user_in(miqanet, config, tmp_path):
    added = miqanet("token", "add", "ann", "--allow", "read,names", "--config", config)
    assert added.exit_code == 0, added.output
    user = Tokens(tmp_path / "tokens").user(added.stdout.strip())
    assert user.name == "ann"
    assert user.sees_names
    listed = miqanet("token", "list", "--config", config)
    assert listed.stdout == "ann\tnames,read\n"


def test_a_token_that_was_removed_lets_nobody_in(miqanet, config, tmp_path):
    token = miqanet("token", "add", "ann", "--allow", "read", "--config", config).stdout.strip()
    assert miqanet("token", "remove", "ann", "--config", config).exit_code == 0
    assert Tokens(tmp_path / "tokens").user(token) is None
    again = miqanet("token", "remove", "ann", "--config", config)
    assert again.exit_code == 2
    assert "there is no token of ann" in again.stderr


def test_the_audit_trail_says_whose_token_was_changed(miqanet, config, tmp_path):
    miqanet("token", "add", "ann", "--allow", "read", "--config", config)
    miqanet("token", "remove", "ann", "--config", config)
    engine = open_node_database(f"sqlite:///{tmp_path}/spool/node.sqlite")
    with Session(engine) as session:
        messages = session.scalars(select(AuditMessage.content)).all()
    engine.dispose()
    assert len(messages) == 2
    assert all(
        'csd-code="110137"' in message and 'ParticipantObjectID="ann"' in message for message in messages
    )


@pytest.mark.parametrize("command", [("add", "bob", "--allow", "read"), ("remove", "ann")])
def test_only_the_user_who_runs_the_node_changes_its_tokens(miqanet, config, tmp_path, monkeypatch, command):
    miqanet("token", "add", "ann", "--allow", "read", "--config", config)
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    refused = miqanet("token", *command, "--config", config)
    assert refused.exit_code == 2
    assert "do this as that user" in refused.stderr
    assert [user.name for user in Tokens(tmp_path / "tokens").users()] == ["ann"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "ann", "--allow", "write"), "--allow takes read, admin, send, names"),
        (("add", "two words", "--allow", "read"), "a name has 1 to 64 characters"),
    ],
)
def test_wrong_use_says_what_to_write(miqanet, config, arguments, message):
    result = miqanet("token", *arguments, "--config", config)
    assert result.exit_code == 2
    assert message in result.stderr
