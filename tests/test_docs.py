"""The documentation is true to the code: options, columns, tables, links."""

import importlib
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
from miqanet.features.air_mask import BLOCK
from miqanet.screening.results import COLUMNS
from miqanet.screening.series import SERIES_COLUMNS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


FEATURES = DOCS / "how-to" / "no-reference-features.md"


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


def test_examples_of_features_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for program in re.findall(r"^```python\n(.*?)^```$", text(FEATURES), re.DOTALL | re.MULTILINE):
        exec(program, names)  # noqa: S102
    shapes, encoded, *scores = capsys.readouterr().out.splitlines()
    assert (shapes, encoded) == ("(36,) (24,) (88,) (8,)", "(100,)")
    assert all(float(line.split()[1]) > 0.9 for line in scores)
    assert len(scores) == 3


def test_least_sizes_of_features_are_those_of_the_methods():
    told = re.findall(r"^\| `(\w+)` \| [\w ]+ \| (\d+) x \d+ \|", text(FEATURES), re.MULTILINE)
    methods = {name: importlib.import_module(f"miqanet.features.{name}") for name, _ in told[:4]}
    assert {name: int(least) for name, least in told[:4]} == {n: m.LEAST_SIZE for n, m in methods.items()}
    assert told[4] == ("measures", str(2 * BLOCK))
