"""The rating room in real browsers: eight raters, each through forty images by keyboard alone."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing

import numpy as np
import pytest

from miqanet.consensus import Ratings, fleiss_kappa
from miqanet.database.query import Database
from miqanet.verdict import Quality

pytestmark = pytest.mark.system

IMAGES = range(1, 41)
RATERS = tuple(f"doctor-{number}" for number in range(1, 9))
SHOWN = 42
"""Forty images, and two of them once more."""

PLACES = (
    {"viewport": {"width": 1366, "height": 768}, "color_scheme": "dark"},
    {"viewport": {"width": 1366, "height": 640}, "color_scheme": "light"},
    {"viewport": {"width": 1920, "height": 1080}, "color_scheme": "dark"},
    {"viewport": {"width": 820, "height": 1180}, "color_scheme": "dark", "has_touch": True},
    {"viewport": {"width": 1180, "height": 820}, "color_scheme": "light", "has_touch": True},
    {"viewport": {"width": 1366, "height": 768}, "color_scheme": "light", "device_scale_factor": 1.5},
    {"viewport": {"width": 1280, "height": 720}, "reduced_motion": "reduce"},
    {"viewport": {"width": 1024, "height": 768}, "color_scheme": "dark"},
)
"""Where each rater sits."""


def opinions() -> dict[tuple[str, int], bool]:
    """Return who calls which image low: what is agreed on, what is not, and what is tied."""
    rng = np.random.default_rng(5)
    share = dict(zip(IMAGES, rng.uniform(0, 1, len(IMAGES)), strict=True))
    return {(rater, image): bool(rng.random() < share[image]) for rater in RATERS for image in IMAGES}


@pytest.mark.timeout(1800)
def test_labels_are_the_majority_of_what_eight_raters_press(open_room, sit_down, miqanet):
    room = open_room(IMAGES, RATERS, "--minimum-seconds", "0")
    says_low = opinions()
    seats = {rater: sit_down(room, rater, **place) for rater, place in zip(RATERS, PLACES, strict=True)}
    for seat in seats.values():
        seat.page.wait_for_selector("#go:visible")
        seat.press("Enter")
    orders = defaultdict(list)
    for position in range(SHOWN):
        for rater, seat in seats.items():
            place, image = seat.look()
            assert place == f"{position + 1} of {SHOWN}"
            again = image in orders[rater]
            orders[rater].append(image)
            low = says_low[rater, image] != again  # nobody keeps his opinion when he sees an image once more
            if position % 7 == 0:
                seat.press("h" if low else "l")
                seat.ready()
                seat.press("Backspace")
                assert seat.look() == (place, image)
            if low:
                seat.press(str(image % 10), "c", "c")
            seat.press("l" if low else "h")
    for seat in seats.values():
        seat.page.wait_for_selector("text=Thank you, all done")

    for order in orders.values():
        assert set(order) == set(IMAGES)
    assert len({tuple(order) for order in orders.values()}) == len(RATERS)

    miqanet("study", "labels", room.database)
    votes_for_low = Counter(image for (_, image), low in says_low.items() if low)
    with Database.open(room.database) as database:
        labels = {room.number(image.path): image for image in database.images()}
    ties = {image for image in IMAGES if 2 * votes_for_low[image] == len(RATERS)}
    assert ties
    assert set(labels) == set(IMAGES) - ties
    for number, label in labels.items():
        assert label.low == (votes_for_low[number] > len(RATERS) / 2)
        assert label.low_votes == votes_for_low[number] / len(RATERS)

    undone = len(RATERS) * -(-SHOWN // 7)
    with closing(sqlite3.connect(room.database / "database.sqlite")) as connection:
        readings = connection.execute("SELECT category, confidence, dwell_ms, view FROM readings").fetchall()
    assert len(readings) == len(RATERS) * SHOWN + undone
    assert {category for category, confidence, *_ in readings if confidence == 2} == {Quality.LOW}
    assert all(dwell_ms > 0 and json.loads(view)["zoom"] > 1 for *_, dwell_ms, view in readings)

    head = sit_down(room, "head")
    head.page.wait_for_selector("tbody tr >> nth=7")
    rows = [head.text(f"tbody tr >> nth={row}") for row in range(len(RATERS))]
    assert all(f"{SHOWN} of {SHOWN}" in row and "0.0 %" in row for row in rows)
    table = [[int(says_low[rater, image]) for rater in RATERS] for image in IMAGES]
    kappa = fleiss_kappa(Ratings.of(table, categories=(0, 1)))
    assert head.text("[data-figure=fleiss_kappa]") == f"{kappa:.3f}"
    assert head.text("[data-figure=ties]") == str(len(ties))
    assert head.text("[data-figure=images_complete]") == "40 of 40"
