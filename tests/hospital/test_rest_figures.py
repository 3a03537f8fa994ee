"""Over both databases."""

from __future__ import annotations

import pytest

from miqanet.hospital.outbox import Outbox
from miqanet.hospital.records import Grade
from miqanet.hospital.rest_figures import NodeFigures
from miqanet.hospital.rest_rows import ArchiveRow, Backlog
from miqanet.hospital.store import NodeStore
from miqanet.hospital.tallies import local_day


@pytest.fixture
def figures(node_engine):
    return NodeFigures(node_engine)


@pytest.mark.usefixtures("many")
def test_scanners_and_grades_are_counted(figures):
    assert figures.scanners() == ["MR 0", "MR 1", "MR 2"]
    assert figures.graded_since(0.0) == {Grade.NON_DIAGNOSTIC: 3, Grade.DIAGNOSTIC: 6}
    assert figures.graded_since(1004.0) == {Grade.DIAGNOSTIC: 1}
    assert figures.graded_since(0.0, "MR 0") == {Grade.NON_DIAGNOSTIC: 3}
    assert figures.graded_since(0.0, "MR 7") == {}


def test_an_empty_database_has_nothing_to_say(figures):
    assert figures.scanners() == []
    assert figures.backlog(5.0) == Backlog(0, 0.0)
    assert figures.graded_since(0.0) == {}


def test_what_waits_and_how_long(figures, node_engine, arrival, result):
    store = NodeStore(node_engine)
    for number in range(1, 4):
        store.add_image(arrival(number), 100.0 + number)
    (taken,) = store.take_images(200.0, 60.0, 1)
    assert figures.backlog(161.0) == Backlog(3, 60.0)
    store.add_verdicts(taken.id, [result("high")])
    assert figures.backlog(162.0) == Backlog(2, 60.0)
    assert figures.backlog(0.0) == Backlog(2, 0.0)


@pytest.mark.usefixtures("many")
def test_scores_begin_with_a_day(figures):
    days = figures.scores(local_day(1000.0))
    assert [(day.scanner, day.low, day.review, sum(day.judged)) for day in days] == [
        ("MR 0", 3, 0, 3),
        ("MR 1", 0, 0, 3),
        ("MR 2", 0, 0, 3),
    ]
    assert (days[0].judged[18], days[1].judged[0]) == (3, 3)
    assert figures.scores("1970-02-01") == []


def test_what_waits_for_archives(figures, node_engine, arrival, result, device, identity):
    store, outbox = NodeStore(node_engine), Outbox(node_engine)
    store.device_uid()
    store.add_image(arrival(1), 1.0)
    (taken,) = store.take_images(2.0, 1.0, 1)
    store.add_verdicts(taken.id, [result("low")])
    outbox.complete_series(10.0, identity.created, device, ["pacs", "web"])
    assert figures.archives(["web", "pacs", "new"]) == [
        ArchiveRow("web", 2),
        ArchiveRow("pacs", 2),
        ArchiveRow("new"),
    ]
    now = identity.created.timestamp() + 1
    first, second = outbox.take_sends("pacs", now, 60.0, 10)
    outbox.sent(first.id)
    outbox.failed(second.id, "refused", now + 60)
    assert figures.archives(["pacs"]) == [
        ArchiveRow("pacs", 1, 1, "refused"),
        ArchiveRow("web", 2, configured=False),
    ]
