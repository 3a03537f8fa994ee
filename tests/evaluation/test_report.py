from __future__ import annotations

import re

import pytest

from miqanet.evaluation.catalog import METHODS
from miqanet.evaluation.report import write_report
from miqanet.evaluation.results import results


@pytest.fixture(scope="module")
def page(done, world, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(results(done.rows, done.made, METHODS, world), done.rows, path)
    return path.read_text(encoding="utf-8")


def test_the_report_needs_nothing_else(page):
    assert "default-src 'none'" in page
    assert "<script" not in page
    for source in re.findall(r'(?:src|href)="([^"]*)"', page):
        assert source.startswith(("data:image/jpeg;base64,", "#")), source[:80]
    assert not re.search(r"url\((?!#)", page)


def test_each_protocol_has_its_curves_tables_and_mistakes(page):
    for protocol in ("P1", "P2"):
        chapter = page[page.index(f'<section id="{protocol}">') :]
        for title in (
            "ROC",
            "Risk and coverage, low images",
            "Reliability",
            "Labels and verdicts",
            "Table I<",
            "Table II<",
            "Worst mistakes of miqanet",
            "How it was run",
        ):
            assert title in chapter, title
    assert page.count("data:image/jpeg") > 4
    assert "median harm of the worst artifact" in page


def test_simulated_labels_are_named_at_the_top_and_in_each_chapter(page):
    assert page.count("simulated labels: no radiologist has rated these images") >= 4


def test_names_are_escaped(done, world, tmp_path):
    stated = results(done.rows, done.made, METHODS, world)
    stated["data"]["datasets"] = ["<b>site</b>"]
    write_report(stated, done.rows, tmp_path / "report.html")
    assert "<b>site</b>" not in (tmp_path / "report.html").read_text(encoding="utf-8")
