"""What the API's tests do not ask over SQLite is asked here, over both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from miqanet.hospital.node_schema import DocumentKind
from miqanet.hospital.outbox import Outbox
from miqanet.hospital.records import Grade
from miqanet.hospital.rest_queries import NodeQueries
from miqanet.hospital.rest_rows import SeriesFilter
from miqanet.hospital.store import NodeStore


@pytest.fixture
def store(node_engine):
    return NodeStore(node_engine)


@pytest.fixture
def queries(node_engine):
    return NodeQueries(node_engine)


def pages(queries, wanted, limit, **options):
    before = None
    while rows := queries.series(wanted, limit, before, **options):
        yield from rows
        before = rows[-1].cursor


@pytest.mark.usefixtures("many")
def test_pages_leave_nothing_out_and_repeat_nothing(queries):
    rows = list(pages(queries, SeriesFilter(), 2))
    assert [row.series_instance_uid for row in rows] == [f"1.2.9.{number}" for number in range(8, -1, -1)]


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (SeriesFilter(scanner="MR 1"), 3),
        (SeriesFilter(grade=Grade.NON_DIAGNOSTIC), 3),
        (SeriesFilter(grade=Grade.NON_DIAGNOSTIC, scanner="MR 1"), 0),
        (SeriesFilter(study_instance_uid="1.2.0"), 3),
        (SeriesFilter(accession_number="A1"), 9),
        (SeriesFilter(received_since=1004.0), 1),
    ],
)
def test_filters_narrow_down(queries, wanted, count):
    assert len(list(pages(queries, wanted, 2))) == count


def test_a_study_is_found_by_the_accession_number_of_any_of_its_series(store, queries, arrival):
    store.add_image(arrival(1), 1.0)
    store.add_image(replace(arrival(2), series_instance_uid="1.2.9", accession_number=""), 2.0)
    (row,) = queries.series(SeriesFilter(accession_number="A1"), 5, one_a_study=True)
    assert row.study_instance_uid == arrival(1).study_instance_uid


@pytest.mark.usefixtures("many")
def test_each_study_comes_once_however_long_the_pages_are(queries):
    for limit in (1, 2, 5):
        rows = pages(queries, SeriesFilter(), limit, one_a_study=True)
        assert [row.study_instance_uid for row in rows] == ["1.2.2", "1.2.1", "1.2.0"]
    filtered = queries.series(SeriesFilter(scanner="MR 0"), 5, one_a_study=True)
    assert [row.series_instance_uid for row in filtered] == ["1.2.9.6", "1.2.9.3", "1.2.9.0"]


def test_an_empty_database_has_nothing_to_say(queries):
    assert queries.series(SeriesFilter(), 5) == []
    assert queries.series_by_id(1) is None
    assert queries.image("1.2") is None
    assert queries.patient_study("1.2") is None


def test_what_archives_have(store, queries, node_engine, arrival, result, device, identity):
    store.device_uid()
    store.add_image(arrival(1), 1.0)
    (taken,) = store.take_images(2.0, 1.0, 1)
    store.add_verdicts(taken.id, [result("low")])
    outbox = Outbox(node_engine)
    series = outbox.complete_series(10.0, identity.created, device, ["pacs", "web"])
    now = identity.created.timestamp() + 1
    (first, _) = outbox.take_sends("pacs", now, 60.0, 10)
    outbox.sent(first.id)
    assert queries.documents(series) == [
        (DocumentKind.REPORT, "pacs", True),
        (DocumentKind.REPORT, "web", False),
        (DocumentKind.KEY_OBJECTS, "pacs", False),
        (DocumentKind.KEY_OBJECTS, "web", False),
    ]


def test_records_do_not_show_patients(store, queries, arrival):
    store.add_image(arrival(1), 1.0)
    (row,) = queries.series(SeriesFilter(accession_number="A1"), 1)
    assert "Doe" not in repr(row)
    assert "A1" not in repr((row, SeriesFilter(accession_number="A1")))
