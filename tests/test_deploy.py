"""What is deployed is true to the code: the unit's command, the example's keys, the files that pages name."""

import re
from configparser import RawConfigParser
from pathlib import Path

import pytest
from typer.main import get_command

from miqanet.cli import app
from miqanet.hospital.config import CStoreArchive, read_config

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"


@pytest.fixture
def unit():
    parser = RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read(DEPLOY / "miqanet-node.service", encoding="utf-8")
    return parser


def test_the_unit_runs_a_command_that_there_is(unit):
    options = {name for each in get_command(app).commands["node"].params for name in each.opts}
    for key in ("ExecStart", "ExecStartPre"):
        program, command, *rest = unit["Service"][key].split()
        assert (Path(program).name, command) == ("miqanet", "node")
        assert {word for word in rest if word.startswith("--")} <= options


def test_the_unit_lets_the_node_write_where_the_example_says(unit):
    config = read_config(DEPLOY / "miqanet.toml")
    assert config.storage.spool == Path("/var/lib") / unit["Service"]["StateDirectory"]
    assert config.audit.path.is_relative_to(config.storage.spool)
    assert config.web.tokens.is_relative_to(config.storage.spool)


def test_the_example_lets_orthanc_in_and_sends_back_to_it():
    config = read_config(DEPLOY / "miqanet.toml")
    assert config.dicom.admits("ORTHANC", "127.0.0.1")
    assert config.archives == (CStoreArchive("orthanc", "ORTHANC", "127.0.0.1", 4242, None),)
    named = (DEPLOY / "orthanc" / "miqanet.json").read_text(encoding="utf-8")
    assert f'"{config.dicom.ae_title}", "127.0.0.1", {config.dicom.port}' in named


def test_the_container_has_what_the_package_is_built_of():
    copied = re.findall(r"^COPY (.*) \S+$", (DEPLOY / "Containerfile").read_text("utf-8"), re.MULTILINE)
    assert {path for line in copied for path in line.split()} == {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "src",
    }
    assert all((ROOT / path).exists() for line in copied for path in line.split())


def test_the_files_that_the_page_installs_are_there():
    page = (ROOT / "docs" / "how-to" / "run-a-node.md").read_text(encoding="utf-8")
    named = re.findall(r"(?<=[ (/])deploy/[\w./-]+\w", page)
    assert len(named) >= 5
    assert all((ROOT / path).exists() for path in named)
