from __future__ import annotations

import re

import pytest


def figures(text):
    return {
        name: float(value)
        for name, value in re.findall(r"^(miqanet_\S+?(?:\{.*?\})?) (\S+)$", text, re.MULTILINE)
    }


@pytest.fixture
def read(site):
    return lambda: figures(site.get("/metrics").text)


def test_what_came_in_and_was_judged_is_counted(site, read, arrival, result):
    site.store.add_image(arrival(1), 1.0)
    site.store.add_image(arrival(2), 1.0)
    (first,) = site.store.take_images(2.0, 60.0, 1)
    site.store.add_verdicts(first.id, [result("low")])
    told = read()
    assert told["miqanet_images_received_total"] == 2
    assert told["miqanet_images_waiting"] == 1
    assert told["miqanet_oldest_image_wait_seconds"] > 1e9
    assert told['miqanet_verdicts_total{scanner="MR-2"}'] == 1
    assert told['miqanet_low_verdicts_total{scanner="MR-2"}'] == 1
    assert told['miqanet_review_verdicts_total{scanner="MR-2"}'] == 0
    assert told['miqanet_documents_waiting{archive="pacs"}'] == 0
    assert told["miqanet_spool_free_bytes"] > 0


def test_requests_are_timed_by_the_pattern_of_their_address(site, read):
    site.get("/api/studies/1.2.3/series/1.2.4")
    site.client.request("SURPRISE", "/somewhere/1.2.3")
    told = read()
    count = 'miqanet_http_request_seconds_count{method="%s",route="%s",status="%d"}'
    assert told[count % ("GET", "/api/studies/{study}/series/{series}", 404)] == 1
    assert told[count % ("other", "elsewhere", 404)] == 1
    assert not any("1.2.3" in name for name in told)
