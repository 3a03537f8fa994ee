from __future__ import annotations

import json

import pytest

CONFIG = """
[[dicom.peers]]
ae_title = "SCANNER1"
addresses = ["10.0.3.17"]
[storage]
spool = "spool"
"""


@pytest.fixture
def config(tmp_path):
    """Return a writer of configurations."""

    def write(more=""):
        file = tmp_path / "miqanet.toml"
        file.write_text(CONFIG + more, encoding="utf-8")
        return str(file)

    return write


def test_a_configuration_can_be_checked(miqanet, config):
    done = miqanet("node", "--check", "--config", config())
    assert done.exit_code == 0
    assert "a node can be started with it" in done.output


def test_a_misspelled_key_is_named(miqanet, config):
    done = miqanet("node", "--check", "--config", config("rention_days = 3"))
    assert done.exit_code == 2
    assert "storage.rention_days: there is no such key" in done.output


def test_weights_that_are_not_there_are_named(miqanet, config, tmp_path):
    done = miqanet("node", "--config", config(f"[judging]\nweights = {json.dumps(str(tmp_path))}"))
    assert done.exit_code == 2
    assert f"no model card at {tmp_path}" in done.output.replace("\n", "")
    assert not (tmp_path / "spool").exists()


def test_a_database_that_cannot_be_opened_is_said_without_its_password(miqanet, config, monkeypatch):
    monkeypatch.setattr("miqanet.hospital.node.signal.signal", lambda *_: None)
    url = "postgresql+pg8000://miqanet:secret@127.0.0.1:1/node"
    done = miqanet("node", "--config", config(f'database_url = "{url}"'))
    assert done.exit_code == 2
    assert "the node's database cannot be opened" in done.output
    assert "secret" not in done.output
