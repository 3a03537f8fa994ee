from __future__ import annotations

from dataclasses import replace

import pytest

from miqanet.verdict import Finding


@pytest.fixture
def judged(site, arrival, result):
    """Let a series of three images, one of them waiting, and others of one image each come in."""
    store = site.store
    for number, outcome in ((1, result("low", Finding("motion", 0.9))), (2, result("high")), (3, None)):
        store.add_image(arrival(number), 1000.0 + number)
        if outcome is not None:
            (taken,) = store.take_images(2e9, 1.0, 1)
            store.add_verdicts(taken.id, [outcome])
    for number in range(4, 9):
        other = replace(
            arrival(number),
            study_instance_uid=f"1.2.{number}",
            series_instance_uid=f"1.2.{number}.1",
            scanner=f"MR-{number % 2}",
            accession_number=f"B{number}",
        )
        store.add_image(other, 2000.0 + number)
    return site


def test_series_come_newest_first_in_pages(judged):
    found, before = [], ""
    while True:
        page = judged.get(f"/api/series?limit=2{before}").json()
        found += [each["series_instance_uid"] for each in page["items"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert found == [f"1.2.{number}.1" for number in (8, 7, 6, 5, 4)] + ["1.2.826.0.1.2"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("scanner=MR-0", 3),
        ("scanner=nobody", 0),
        ("grade=non-diagnostic", 1),
        ("accession_number=B5", 1),
        ("received_since=1970-01-01T00:33:26Z", 3),
        ("received_since=0001-01-01T00:00:00%2B14:00", 6),
    ],
)
def test_series_are_narrowed_down(judged, query, count):
    assert len(judged.get(f"/api/series?{query}").json()["items"]) == count


def test_a_series_says_what_is_known_of_it(judged):
    said = judged.get("/api/studies/1.2.826.0.1.1/series/1.2.826.0.1.2").json()
    series = said["series"]
    assert (series["images"], series["waiting"], series["judged"], series["low"]) == (3, 1, 2, 1)
    assert (series["grade"], series["reported"]) == ("non-diagnostic", False)
    assert series["worst_sop_instance_uid"] == "1.2.826.0.1.3.1"
    assert series["worst"]["findings"] == [{"kind": "motion", "probability": 0.9}]
    assert [len(image["verdicts"]) for image in said["images"]] == [1, 1, 0]


def test_no_answer_has_a_patients_name_or_id(judged):
    for path in ("/api/series", "/api/studies", "/api/studies/1.2.826.0.1.1", "/api/verdicts", "/metrics"):
        text = judged.get(path, "read+names" if path != "/metrics" else "read").text
        assert "Doe" not in text
        assert "4711" not in text


def test_a_study_has_its_series_and_a_list_has_each_study_once(judged, arrival):
    judged.store.add_image(replace(arrival(20), series_instance_uid="1.2.826.0.1.9"), 5000.0)
    study = judged.get("/api/studies/1.2.826.0.1.1").json()
    assert [each["series_instance_uid"] for each in study["series"]] == ["1.2.826.0.1.9", "1.2.826.0.1.2"]
    found, before = [], ""
    for _ in range(3):
        page = judged.get(f"/api/studies?limit=2{before}").json()
        found += [each["study_instance_uid"] for each in page["items"]]
        before = f"&before={page['next']}"
    assert found == ["1.2.826.0.1.1", "1.2.8", "1.2.7", "1.2.6", "1.2.5", "1.2.4"]


def test_verdicts_can_be_followed(judged, result):
    first = judged.get("/api/verdicts?limit=1").json()
    rest = judged.get(f"/api/verdicts?after={first['next']}").json()
    assert [each["verdict"]["quality"] for each in first["items"] + rest["items"]] == ["low", "high"]
    nothing = judged.get(f"/api/verdicts?after={rest['next']}").json()
    assert nothing == {"items": [], "next": rest["next"]}
    (taken,) = judged.store.take_images(3e9, 1.0, 1)
    judged.store.add_verdicts(taken.id, [result("error")])
    (last,) = judged.get(f"/api/verdicts?after={rest['next']}").json()["items"]
    assert last["verdict"]["quality"] is None
    assert last["verdict"]["reason"] == "its pixels are cut short"
    assert len(judged.get("/api/verdicts?quality=low").json()["items"]) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/api/images/1.9",
        "/api/studies/1.9",
        "/api/studies/1.9/series/1.9",
        "/api/studies/1.2.8/series/1.2.7.1",
    ],
)
def test_what_is_not_there_is_not_found(judged, path):
    answer = judged.get(path)
    assert (answer.status_code, answer.json()) == (404, {"error": "There is nothing here."})


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "before=x",
        "before=1-99999999999999999999",
        "before=nan-1",
        "grade=bad",
        "scanner=%00",
        "scanner=" + "x" * 65,
        "received_since=yesterday",
        "received_since=2026-01-02T03:04:05",
    ],
)
def test_malformed_questions_are_refused_without_an_echo(judged, query):
    answer = judged.get(f"/api/series?{query}")
    assert answer.status_code == 422
    name = query.partition("=")[0]
    assert answer.json() == {"error": f"malformed: {name}"}


def test_who_looked_at_which_study_is_in_the_audit_trail(judged):
    judged.get("/api/series?scanner=MR-0")
    for _ in range(2):
        judged.get("/api/studies/1.2.826.0.1.1")
    messages = judged.audited()
    assert sum('csd-code="110112"' in message for message in messages) == 1
    seen = [message for message in messages if 'csd-code="110103"' in message]
    assert len(seen) == 1
    assert 'ParticipantObjectID="1.2.826.0.1.1"' in seen[0]
    assert 'ParticipantObjectID="4711"' in seen[0]
