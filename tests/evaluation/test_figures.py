from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from miqanet.evaluation import figures
from miqanet.evaluation.catalog import METHODS, ROWS
from miqanet.evaluation.figures import confusion, reliability, risk_coverage, roc
from miqanet.evaluation.protocols import Protocol


@pytest.fixture(scope="module")
def judged(done):
    return {method: row.judged for (protocol, method), row in done.rows.items() if protocol is Protocol.P2}


DRAWN = [
    roc,
    reliability,
    lambda judged: risk_coverage(judged, of_low=True),
    lambda judged: risk_coverage(judged, of_low=False),
    lambda judged: confusion(judged["miqanet"]),
]


@pytest.mark.parametrize("draw", DRAWN)
def test_drawings_take_the_color_of_the_page_and_no_other_ink(judged, draw):
    drawing = draw(judged)
    root = ElementTree.fromstring(drawing)  # noqa: S314  # our own
    assert root.tag.endswith("svg")
    assert "width" not in root.attrib
    assert "currentColor" in drawing
    texts = re.findall(r"<text[^>]*>", drawing)
    assert texts
    assert all("currentColor" in text for text in texts)
    assert "#000000" not in drawing
    assert "<script" not in drawing
    assert "figure_1" not in drawing


@pytest.mark.parametrize("draw", DRAWN)
def test_the_same_answers_give_the_same_drawing(judged, draw):
    assert draw(judged) == draw(judged)


@pytest.mark.parametrize("draw", DRAWN[:-1])
def test_every_method_has_its_curve(judged, draw):
    drawing = draw(dict.fromkeys((*METHODS, "another"), judged["miqanet"]))
    assert re.findall(r">([\w-]+)</text>", drawing)[-len(METHODS) - 1 :] == [*METHODS, "another"]


def test_no_two_rows_of_the_tables_are_drawn_alike():
    styles = {(style["color"], style["linestyle"]) for style in figures._STYLES[: len(ROWS)]}
    assert len(styles) == len(ROWS)


def test_the_confusion_counts_every_image(judged):
    counts = [int(n) for n in re.findall(r">(\d+)</text>", confusion(judged["miqanet"]))]
    assert sum(counts) == len(judged["miqanet"])


def test_of_one_class_there_is_no_curve_and_no_warning(done):
    judged = done.rows[Protocol.P1, "miqanet"].judged
    drawn = roc({"miqanet": judged.take(judged.low), "brisque": judged})
    assert "brisque" in drawn
    assert "miqanet" not in drawn
