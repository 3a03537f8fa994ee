from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from miqanet.hospital import tallies, work
from miqanet.hospital.node_schema import Image, Series, SeriesState
from miqanet.hospital.store import NodeStore, series_result
from miqanet.verdict import Finding


@pytest.fixture
def store(node_engine):
    return NodeStore(node_engine)


def count(engine, row):
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(row))


def known(engine):
    """Return what is known of the first series so far."""
    with Session(engine) as session:
        return series_result(session, session.get_one(Series, 1))


def test_the_device_keeps_its_uid(store, node_engine):
    uid = store.device_uid()
    assert uid == store.device_uid() == NodeStore(node_engine).device_uid()


def test_the_same_image_twice_is_one(store, arrival, node_engine):
    assert store.add_image(arrival(1), 10.0)
    assert not store.add_image(replace(arrival(1), path="elsewhere"), 20.0)
    (image,) = store.take_images(30.0, 60.0, 10)
    assert image.path == "images/1"
    with Session(node_engine) as session:
        assert session.scalars(select(Series.last_received)).one() == 10.0


def test_the_same_image_over_many_associations_at_once_is_one(store, arrival, node_engine):
    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(lambda number: store.add_image(arrival(number % 4), 1.0), range(40)))
    assert sum(new) == 4
    assert (count(node_engine, Image), count(node_engine, Series)) == (4, 1)


def test_images_of_two_series_are_kept_apart(store, arrival, node_engine):
    store.add_image(arrival(1), 1.0)
    store.add_image(replace(arrival(2), series_instance_uid="1.2.9"), 1.0)
    assert count(node_engine, Series) == 2


def test_the_same_image_under_another_series_leaves_no_series_without_images(store, arrival, node_engine):
    store.add_image(arrival(1), 1.0)
    assert not store.add_image(replace(arrival(1), series_instance_uid="1.2.9"), 2.0)
    assert count(node_engine, Series) == 1


def test_an_image_is_judged_once(store, arrival, result, node_engine):
    store.add_image(arrival(1), 1.0)
    (image,) = store.take_images(1.0, 60.0, 10)
    assert store.add_verdicts(image.id, [result("low", number=1)])
    assert not store.add_verdicts(image.id, [result("high", number=1)])
    assert store.take_images(1e9, 60.0, 10) == []
    (judged,) = known(node_engine).images
    assert judged.verdict.quality == "low"


def test_an_image_that_comes_again_while_it_is_judged_waits_and_is_one(store, arrival, result, node_engine):
    store.add_image(arrival(1), 1.0)
    with ThreadPoolExecutor(1) as pool:
        with Session(node_engine) as session, session.begin():
            assert work.finish(session, Image, 1)
            again = pool.submit(store.add_image, arrival(1), 2.0)
            wait([again], timeout=1)  # as far as it comes
            tallies.count(session, 1, [result("error")])
        assert not again.result()
    with Session(node_engine) as session:
        series = session.scalars(select(Series)).one()
        assert (series.received_images, series.done_images) == (1, 1)


def test_an_image_without_anything_said_of_it_is_refused(store, arrival):
    store.add_image(arrival(1), 1.0)
    with pytest.raises(ValueError, match="has a verdict, or a reason"):
        store.add_verdicts(1, [])


def test_records_come_back_as_they_went_in(store, arrival, result, node_engine):
    told = [
        result("low", Finding("motion", 1 / 3), number=2),
        result("error", number=1),
        result("review", number=3),
    ]
    for image in told:
        number = int(image.image.sop_instance_uid.rsplit(".", 1)[1])
        store.add_image(replace(arrival(number), sop_class_uid=image.image.sop_class_uid), 1.0)
    for taken in store.take_images(1.0, 60.0, 10):
        (its,) = [image for image in told if image.image.sop_instance_uid == taken.sop_instance_uid]
        store.add_verdicts(taken.id, [its])
    series = known(node_engine)
    assert [image.image for image in series.images] == [told[1].image, told[0].image, told[2].image]
    for image, its in zip(series.images, (told[1], told[0], told[2]), strict=True):
        assert (image.reason, image.grade) == (its.reason, its.grade)
        if its.verdict is not None:
            assert repr(image.verdict) == repr(its.verdict)
    assert series.patient_study == arrival(1).patient_study


def test_frames_come_back_in_their_order(store, arrival, result, node_engine):
    frames = [result("low", frame=2), result("high", frame=1)]
    store.add_image(replace(arrival(1), sop_class_uid=frames[0].image.sop_class_uid), 1.0)
    store.add_verdicts(1, frames)
    assert [image.image.frame for image in known(node_engine).images] == [1, 2]


def test_what_a_killed_node_had_taken_is_taken_again(store, arrival):
    store.add_image(arrival(1), 1.0)
    store.take_images(1.0, 1e6, 10)
    assert store.take_images(2.0, 60.0, 10) == []
    store.release(Image, 2.0)
    (image,) = store.take_images(2.0, 60.0, 10)
    assert image.attempts == 2


def test_a_late_image_opens_its_series_again(store, arrival, node_engine):
    store.add_image(arrival(1), 1.0)
    with Session(node_engine) as session, session.begin():
        session.get_one(Series, 1).state = SeriesState.REPORTED
    store.add_image(arrival(1), 2.0)
    with Session(node_engine) as session:
        assert session.get_one(Series, 1).state is SeriesState.REPORTED
    store.add_image(arrival(2), 3.0)
    with Session(node_engine) as session:
        assert session.get_one(Series, 1).state is SeriesState.OPEN


def test_only_old_images_that_were_judged_expire(store, arrival, result, node_engine):
    for number, received in ((1, 1.0), (2, 2.0), (3, 9.0)):
        store.add_image(arrival(number), received)
    store.add_verdicts(1, [result("high", number=1)])
    store.add_verdicts(3, [result("high", number=3)])
    assert store.expired_paths(5.0, 10) == ["images/1"]
    store.forget_paths(["images/1"])
    assert store.expired_paths(5.0, 10) == []
    assert [image.image.sop_instance_uid for image in known(node_engine).images] == [
        arrival(number).sop_instance_uid for number in (1, 3)
    ]
