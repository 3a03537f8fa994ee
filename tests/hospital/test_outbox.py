from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from miqanet.hospital.drafts import build
from miqanet.hospital.node_schema import Document, DocumentKind
from miqanet.hospital.outbox import Outbox
from miqanet.hospital.store import NodeStore

CREATED = datetime(2026, 1, 2, 3, 4, 5, 678, timezone(timedelta(hours=2)))
NOW = CREATED.timestamp()


@pytest.fixture
def store(node_engine):
    return NodeStore(node_engine)


@pytest.fixture
def outbox(node_engine):
    return Outbox(node_engine)


@pytest.fixture
def receive(store, arrival, result):
    """Return a function that receives and judges images, given by number and outcome, at a time."""

    def images(outcomes: dict[int, str], at: float) -> None:
        for number in outcomes:
            store.add_image(arrival(number), at)
        for taken in store.take_images(at, 60.0, 1000):
            number = int(taken.sop_instance_uid.rsplit(".", 1)[1])
            store.add_verdicts(taken.id, [result(outcomes[number], number=number)])

    return images


@pytest.fixture
def complete(outbox, store, device):
    """Return a function that completes one series."""
    node = replace(device, uid=store.device_uid())

    def one(idle_since: float = NOW, **options: bool) -> int | None:
        return outbox.complete_series(idle_since, CREATED, node, ["pacs", "web"], **options)

    return one


@pytest.fixture
def drafts(outbox, node_engine):
    """Return a function that gives the drafts of all documents."""

    def of_all():
        with Session(node_engine) as session:
            ids = list(session.scalars(select(Document.id).order_by(Document.id)))
        return [outbox.draft(document_id) for document_id in ids]

    return of_all


def test_a_series_is_complete_after_its_idle_time(receive, complete):
    receive({1: "high"}, 100.0)
    assert complete(idle_since=99.0) is None
    assert complete(idle_since=100.0) is not None
    assert complete(idle_since=100.0) is None


def test_a_series_with_an_image_that_waits_is_not_complete(receive, complete, store, arrival, result):
    receive({1: "high"}, 100.0)
    store.add_image(arrival(2), 100.0)
    assert complete() is None
    (taken,) = store.take_images(100.0, 60.0, 10)
    assert complete() is None
    store.add_verdicts(taken.id, [result("high", number=2)])
    assert complete() is not None


def test_a_good_series_gets_a_report_alone(receive, complete, drafts):
    receive({1: "high", 2: "review"}, 100.0)
    complete(heat_maps=True)
    assert [draft.kind for draft in drafts()] == [DocumentKind.REPORT]


def test_a_flagged_series_gets_key_objects_and_a_heat_map_if_wanted(receive, complete, drafts):
    receive({1: "high", 2: "low"}, 100.0)
    complete(heat_maps=True)
    found = drafts()
    assert [draft.kind for draft in found] == list(DocumentKind)
    assert found[2].shown.sop_instance_uid == "1.2.826.0.1.3.2"
    assert len({draft.identity.sop_instance_uid for draft in found}) == 3
    assert len({draft.identity.series_instance_uid for draft in found}) == 3


def test_heat_maps_are_off_by_default(receive, complete, drafts):
    receive({1: "low"}, 100.0)
    complete()
    assert [draft.kind for draft in drafts()] == [DocumentKind.REPORT, DocumentKind.KEY_OBJECTS]


def test_late_images_make_a_new_report_that_names_its_predecessor(receive, complete, drafts):
    receive({1: "low", 2: "high"}, 100.0)
    complete()
    receive({3: "low"}, 200.0)
    complete()
    first, first_selection, second, second_selection = drafts()
    assert second.predecessor == first.identity
    assert second.identity.series_instance_uid == first.identity.series_instance_uid
    assert second.identity.instance_number == 2
    assert second.identity.sop_instance_uid != first.identity.sop_instance_uid
    assert [len(each.series.images) for each in (first, second)] == [2, 3]
    assert first.predecessor is None
    assert first_selection.selected == frozenset()
    (study,) = build(second_selection).CurrentRequestedProcedureEvidenceSequence
    (reference,) = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert reference.ReferencedSOPInstanceUID == "1.2.826.0.1.3.3"


def test_series_that_are_complete_at_the_same_time_each_get_their_report(
    store, arrival, complete, drafts, result
):
    for number in range(1, 6):
        store.add_image(replace(arrival(number), series_instance_uid=f"1.2.{number}"), 100.0)
    for taken in store.take_images(100.0, 60.0, 10):
        store.add_verdicts(taken.id, [result("high")])
    assert len({complete() for _ in range(5)}) == 5
    assert complete() is None
    assert {draft.series.series_instance_uid for draft in drafts()} == {f"1.2.{n}" for n in range(1, 6)}


def test_a_series_that_two_studies_claim_has_documents_of_its_own_in_each(
    store, arrival, complete, drafts, result
):
    for number in (1, 2):
        store.add_image(replace(arrival(number), study_instance_uid=f"1.2.{number}"), 100.0)
    for taken in store.take_images(100.0, 60.0, 10):
        store.add_verdicts(taken.id, [result("high", number=taken.id)])
    assert None not in (complete(), complete())
    first, second = drafts()
    assert first.series.study_instance_uid != second.series.study_instance_uid
    assert first.identity.series_instance_uid != second.identity.series_instance_uid


def test_what_comes_later_leaves_a_fixed_document_as_it_is(receive, complete, drafts, tmp_path):
    receive({1: "low", 2: "error"}, 100.0)
    complete()
    build(drafts()[0]).save_as(tmp_path / "before", enforce_file_format=True)
    receive({3: "low"}, 200.0)
    complete()
    build(drafts()[0]).save_as(tmp_path / "after", enforce_file_format=True)
    assert (tmp_path / "before").read_bytes() == (tmp_path / "after").read_bytes()


def test_documents_keep_their_wall_clock_time(receive, complete, drafts):
    receive({1: "high"}, 100.0)
    complete()
    assert drafts()[0].identity.created == CREATED
    assert drafts()[0].identity.created.utcoffset() == CREATED.utcoffset()


def test_every_document_goes_to_every_archive_until_it_is_there(receive, complete, outbox):
    receive({1: "low"}, 100.0)
    complete()
    sends = outbox.take_sends("pacs", NOW, 60.0, 10)
    assert [send.document_id for send in sends] == [1, 2]
    assert [send.document_id for send in outbox.take_sends("web", NOW, 60.0, 10)] == [1, 2]
    outbox.sent(sends[0].id)
    outbox.failed(sends[1].id, "refused", NOW + 4.0)
    assert outbox.take_sends("pacs", NOW + 3.0, 60.0, 10) == []
    (again,) = outbox.take_sends("pacs", NOW + 4.0, 60.0, 10)
    assert (again.id, again.attempts) == (sends[1].id, 2)
    assert [send.id for send in outbox.take_sends("pacs", NOW + 1e6, 60.0, 10)] == [again.id]
