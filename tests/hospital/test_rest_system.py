from __future__ import annotations

from miqanet.hospital.node_schema import NodeBase


def test_a_retry_is_the_administrators(site):
    assert site.client.post("/api/archives/pacs/retry", headers=site.headers("read")).status_code == 403
    assert site.client.post("/api/archives/pacs/retry", headers=site.headers("admin")).json() == {
        "documents": 0
    }
    assert site.client.post("/api/archives/other/retry", headers=site.headers("admin")).status_code == 404
    assert sum('csd-code="110128"' in message for message in site.audited()) == 1


def test_health_says_what_fails_and_nothing_else(site, monkeypatch):
    answer = site.client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    monkeypatch.setattr("miqanet.hospital.rest_system._LEAST_FREE_BYTES", 1e30)
    answer = site.client.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "disk"})
    NodeBase.metadata.drop_all(site.engine)
    answer = site.client.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "database"})
