"""The page of the benchmark takes its figures from a run, and only from there."""

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"

RESULTS = {
    "version": "9",
    "created": "2030-01-01",
    "data": {
        "sha256": "f" * 64, "images": 4, "low": 1, "subjects": 2, "datasets": ["site"], "raters": 0, "split_votes": 0,
        "simulated": "",
    },
    "protocols": {"P1": {"description": "other subjects", "folds": ["rotation-0"]}},
    "rows": [],
    "not_run": [{"protocol": "P1", "method": "miqanet"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("write_benchmark", DOCS / "write_benchmark.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_take_the_place_of_earlier_ones(script):
    page = script.PAGE.read_text(encoding="utf-8")
    written = script.with_tables(page, RESULTS)
    assert "4 images, 1 of low and 3 of high quality, of 2 subjects; datasets: site" in written
    assert "| miqanet | 96.59 | not run |" in written
    assert script.with_tables(written, RESULTS) == written
    # What people have written stays.
    outside = r"<!-- tables: [^>]*-->.*<!-- end of tables -->"
    assert re.sub(outside, "", written, flags=re.DOTALL) == re.sub(outside, "", page, flags=re.DOTALL)


def test_headings_of_the_tables_stay_below_the_page_s(script):
    written = script.with_tables(script.PAGE.read_text(encoding="utf-8"), RESULTS)
    tables = written[written.index("<!-- tables:") :]
    assert set(re.findall(r"^(#+) ", tables, re.MULTILINE)) == {"###", "####"}
