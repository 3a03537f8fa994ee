"""The documentation is true to the code: options, columns, tables, links."""

import importlib.util
import re
import shlex
import sqlite3
from pathlib import Path

import pytest
from typer.main import get_command

from miqanet.artifacts import KINDS
from miqanet.cli import app
from miqanet.database.store import FILE_NAME, open_engine, upgrade
from miqanet.screening.results import COLUMNS
from miqanet.screening.series import SERIES_COLUMNS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("write_reference", DOCS / "write_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def headed_by(page: Path, heading: str) -> str:
    return re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", text(page), re.DOTALL | re.MULTILINE)[1]


def first_cells(table: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_reference_of_commands_is_current(reference):
    assert text(reference.COMMANDS) == reference.commands(), "run python docs/write_reference.py"


def test_rules_of_harm_are_current(reference):
    concepts = text(reference.CONCEPTS)
    assert concepts == reference.with_rules(concepts), "run python docs/write_reference.py"
    assert first_cells(concepts)[: len(KINDS)] == list(KINDS)


def test_every_artifact_has_its_section_and_sheet():
    for kind in KINDS:
        assert f"](artifacts/{kind}.png)" in text(DOCS / "artifacts.md")


def test_columns_of_results_are_all_there():
    page = DOCS / "reference" / "results.md"
    assert first_cells(headed_by(page, "results.csv, results.parquet")) == list(COLUMNS)
    assert first_cells(headed_by(page, "series.csv")) == list(SERIES_COLUMNS)


def test_columns_of_the_database_are_all_there(tmp_path):
    engine = open_engine(tmp_path)
    upgrade(engine)
    engine.dispose()
    described = re.findall(
        r"^\| `(\w+)` \|[^|]*\| (.*) \|$", text(DOCS / "reference" / "database.md"), re.MULTILINE
    )
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    for table, columns in described:
        stored = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        assert sorted(re.findall(r"`(\w+)`", columns)) == sorted(stored), table
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert {table for table, _ in described} == tables - {"alembic_version"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", text(page)):
        if "://" in target:
            continue
        path, _, heading = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", text(linked), re.MULTILINE)
            assert heading in {each.lower().replace(" ", "-") for each in headings}, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist_with_their_options(page):
    fenced = "\n".join(re.findall(r"^```.*?^```", text(page), re.DOTALL | re.MULTILINE))
    for line in re.findall(r"^miqanet .*$", fenced, re.MULTILINE):
        command, words = get_command(app), shlex.split(line)[1:]
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        assert {word for word in words if word.startswith("-")} <= options, line
