"""Tests of the report: what it says, what it hides, and that it needs nothing else."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import numpy as np
import pytest

from miqanet.artifacts import KINDS
from miqanet.features.reasons import PLAIN
from miqanet.features.reference import ALL, shipped_reference
from miqanet.screening import thumbnails
from miqanet.screening.card import Card
from miqanet.screening.report import ReportCollector, write_report
from miqanet.screening.results import ResultRow

CARD = Card("miqanet", "9.8.7", 512, KINDS, 0.5, (0.35, 0.65), dict.fromkeys(KINDS, 0.5))
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"' &amp;"


class Page(HTMLParser):
    """A report, parsed: its elements, and its text without scripts and styles."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw = {"script": "", "style": ""}
        self._words: list[str] = []
        self._inside = ""
        self.feed(source)
        self.close()
        self.text = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag):  # noqa: ARG002  # the parser names it
        self._inside = ""

    def handle_data(self, data):
        if self._inside in self.raw:
            self.raw[self._inside] += data
        else:
            self._words.append(data)

    def all(self, tag: str, kind: str = "") -> list[dict[str, str | None]]:
        return (
            [
                attributes
                for name, attributes in self.elements
                if name == tag and kind in (attributes.get("class") or "").split(" ")
            ]
            if kind
            else [attributes for name, attributes in self.elements if name == tag]
        )


def judged(index: int, probability: float, **fields) -> ResultRow:
    return ResultRow(
        **{
            "path": f"scans/{index:06d}.dcm",
            "frame": 0,
            "quality": "low" if probability >= CARD.threshold else "high",
            "probability_low": probability,
            "review": CARD.review_band[0] <= probability <= CARD.review_band[1],
            "model_version": CARD.model_version,
            "threshold": CARD.threshold,
            **fields,
        }
    )


@pytest.fixture
def collector(tmp_path) -> ReportCollector:
    return ReportCollector(tmp_path / "pictures", limit=9)


@pytest.fixture
def written(tmp_path, collector):
    def write() -> Page:
        path = tmp_path / "report.html"
        write_report(collector, path, CARD)
        return Page(path.read_text(encoding="utf-8"))

    return write


@pytest.fixture
def gray() -> np.ndarray:
    return np.full((512, 512), 0.5, np.float32)


def test_page_loads_nothing_from_anywhere(collector, written, gray):
    collector.add(judged(0, 0.9, findings="motion:0.90"), gray)
    page = written()
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            link = attributes.get(name)
            assert link is None or link.startswith(("data:image/", "#")), (tag, link)
    assert "http://" not in page.source
    assert "https://" not in page.source
    assert "@import" not in page.source
    assert "url(" not in page.source


def test_policy_admits_only_the_script_and_style_inside(written):
    page = written()
    (policy,) = (
        attributes["content"]
        for attributes in page.all("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for name, content in page.raw.items():
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert not any(
        name == "style" or name.startswith("on") for _, attributes in page.elements for name in attributes
    )


def test_text_from_files_stays_text(collector, written, gray):
    fields = dict.fromkeys(("body_part", "series_description", "series_instance_uid", "modality"), HOSTILE)
    collector.add(judged(0, 0.9, path=HOSTILE, **fields), gray)
    collector.add_error(ResultRow.of_error(HOSTILE, 0, HOSTILE))
    collector.add_error(ResultRow.of_error(HOSTILE, 0, f"skipped: {HOSTILE}"))
    page = written()
    assert len(page.all("script")) == 1
    assert all("onerror" not in attributes for attributes in page.all("img"))
    assert page.all("li", "card")[0]["data-path"] == HOSTILE
    assert page.text.count("<script>alert(1)</script>") >= 6


def test_path_that_is_no_unicode_does_not_stop_the_report(collector, written):
    collector.add(judged(0, 0.9, path="scans/kn\udce4.dcm"))
    assert len(written().all("li", "card")) == 1


def test_patient_appears_only_where_the_row_carries_one(collector, written, gray):
    collector.add(judged(0, 0.9), gray)
    assert "Patient" not in written().text
    collector.add(judged(1, 0.8, patient="Doe^Jane 4711"), gray)
    assert "Patient Doe^Jane 4711" in written().text


def test_worst_comes_first(collector, written, gray):
    for index, probability in enumerate((0.2, 0.99, 0.6, 0.8)):
        collector.add(judged(index, probability), gray)
    order = [card["data-path"] for card in written().all("li", "card")]
    assert order == [f"scans/{index:06d}.dcm" for index in (1, 3, 2, 0)]


def test_header_counts_everything(collector, written, gray):
    for index, probability in enumerate((0.9, 0.6, 0.4, 0.1, 0.1)):
        collector.add(judged(index, probability), gray)
    collector.add_error(ResultRow.of_error("a.dcm", 0, "truncated"))
    collector.add_error(ResultRow.of_error("b.pdf", 0, "skipped: a PDF document"))
    text = written().text
    for words in (
        "5 judged",
        "2 ▼ low quality",
        "3 ● high quality",
        "2 ◆ of these to review",
        "1 skipped",
        "1 with an error",
        "model miqanet 9.8.7",
        "low from 0.5",
        "review from 0.35 to 0.65",
        "All 5 images are shown",
    ):
        assert words in text
    for words in ("Not a medical device", "trained on simulated artifacts", "research use"):
        assert words in text


def test_page_says_how_many_images_it_leaves_out(collector, written, gray):
    for index in range(100):
        collector.add(judged(index, index / 100), gray)
    page = written()
    assert len(page.all("li", "card")) == 12
    assert "The worst 9 and a random 3 of the others are embedded" in page.text
    assert "88 of 100 images are not shown" in page.text
    assert "results.csv" in page.text


def test_each_image_has_its_picture_and_heat_map(collector, written, gray):
    collector.add(judged(0, 0.9), gray)
    page = written()
    assert [image["src"].partition(";")[0] for image in page.all("img")] == [
        "data:image/jpeg",
        "data:image/png",
    ]


def test_image_whose_picture_is_gone_is_still_listed(collector, written):
    collector.add(judged(0, 0.9))
    page = written()
    assert len(page.all("li", "card")) == 1
    assert "Picture not kept" in page.text


def test_findings_are_explained_in_plain_words(collector, written, gray):
    collector.add(judged(0, 0.9, findings="wrap_around:0.91;made_up_kind:0.52"), gray)
    page = written()
    assert "Wrap-around 0.91" in page.text
    assert "larger field of view" in page.text
    assert "Made up kind 0.52" in page.text
    assert page.all("li", "card")[0]["data-kinds"] == "wrap_around made_up_kind"


def test_unusual_measures_are_told_in_plain_words_with_their_figures(collector, written, gray):
    collector.add(judged(0, 0.9, snr=1.5, qi1=0.01, body_part="BRAIN"), gray)
    text = written().text
    limit = shipped_reference("brain").ranges["snr"].p5
    assert PLAIN["snr"].unusual in text
    assert f"Signal to noise in the body 1.5; 95 of 100 clean brain images have at least {limit:.3g}" in text
    assert PLAIN["qi1"].unusual not in text
    assert "No clear air" not in text


def test_image_of_unknown_body_part_is_compared_with_all(collector, written, gray):
    collector.add(judged(0, 0.4, nyquist_ghost_ratio=0.9), gray)
    text = written().text
    limit = shipped_reference(ALL).ranges["nyquist_ghost_ratio"].p95
    assert f"0.9; 95 of 100 clean images have at most {limit:.3g}" in text
    assert "No clear air was found" in text


def test_plainly_high_image_has_nothing_to_explain(collector, written, gray):
    collector.add(judged(0, 0.1), gray)
    assert "Measured in the image" not in written().text


def test_usual_measures_are_said_to_be_usual(collector, written, gray):
    usual = {name: limits.p50 for name, limits in shipped_reference(ALL).ranges.items()}
    collector.add(judged(0, 0.9, **usual), gray)
    assert "Nothing that was measured is unusual" in written().text


def test_distribution_covers_all_images_not_only_the_embedded(collector, written, gray):
    for index in range(200):
        collector.add(judged(index, 0.005), gray)
    collector.add(judged(999, 0.995), gray)
    page = written()
    assert "0.00 to 0.02: 200 images" in page.text
    assert "0.98 to 1.00: 1 image" in page.text
    heights = [float(bar["height"]) for bar in page.all("rect", "bar")]
    assert heights[0] / heights[1] == pytest.approx(200**0.5, rel=0.01)


def test_errors_are_listed_apart_from_skipped_files(collector, written):
    for index in range(400):
        collector.add_error(ResultRow.of_error(f"{index}.dcm", 0, "the pixel data are truncated"))
    collector.add_error(ResultRow.of_error("notes.txt", 0, "skipped: a text file"))
    text = written().text
    assert "Errors 400" in text
    assert "The first 300 are listed" in text
    assert "Skipped 1" in text
    assert "a text file" in text


def test_run_without_any_image_has_a_report(written):
    page = written()
    assert "No image was judged" in page.text
    assert "0 judged" in page.text


def test_earlier_report_is_replaced_as_a_whole(tmp_path, collector, written):
    written()
    collector.add(judged(0, 0.9))
    assert "1 judged" in written().text
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "pictures"}


def test_report_of_a_hundred_thousand_images_stays_under_30_megabytes(tmp_path, monkeypatch):
    noise = np.random.default_rng(0).random((512, 512), np.float32)
    largest = thumbnails.encode_thumbnail(noise).ljust(thumbnails.MAX_BYTES, b"\0")
    monkeypatch.setattr(thumbnails, "encode_thumbnail", lambda _: largest)
    collector = ReportCollector(tmp_path / "pictures")
    findings = ";".join(f"{kind}:0.99" for kind in KINDS)
    unusual = {name: -123.456 if plain.low_is_bad else 123.456 for name, plain in PLAIN.items()}
    for index in range(100_000):
        collector.add(judged(index, 1 - index / 100_000, findings=findings, **unusual), noise)
        collector.add_error(ResultRow.of_error(f"scans/{index}.txt", 0, "skipped: a text file"))
    write_report(collector, tmp_path / "report.html", CARD)
    size = (tmp_path / "report.html").stat().st_size
    assert 20e6 < size < 30e6
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert len(re.findall('<li class="card"', source)) == 400
    assert "99,600 of 100,000 images are not shown" in source
