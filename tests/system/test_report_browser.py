"""The report in a real browser, driven by its keyboard."""

import numpy as np
import pytest
from playwright.sync_api import expect

from miqanet.artifacts import KINDS
from miqanet.screening.card import Card
from miqanet.screening.report import ReportCollector, write_report
from miqanet.screening.results import ResultRow

pytestmark = pytest.mark.system

CARD = Card("miqanet", "1", 512, KINDS, 0.5, (0.35, 0.65), dict.fromkeys(KINDS, 0.5))
SCORES = (0.99, 0.9, 0.6, 0.55, 0.4, 0.1, 0.05)
"""Four low images, three high ones; three of them in the review band."""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    collector = ReportCollector(folder / "pictures")
    pixels = np.tile(np.linspace(0, 1, 512, dtype=np.float32), (512, 1))
    for index, score in enumerate(SCORES):
        row = ResultRow(
            path=f"scans/{'knee' if index % 2 else 'head'}/{index}.dcm",
            frame=index,
            quality="low" if score >= CARD.threshold else "high",
            probability_low=score,
            review=CARD.review_band[0] <= score <= CARD.review_band[1],
            findings="motion:0.90;noise:0.70" if index == 1 else "noise:0.80" if index == 0 else "",
            series_description="<img src=x onerror=document.title='hacked'>",
        )
        collector.add(row, pixels)
    collector.add_error(ResultRow.of_error("scans/knee/broken.dcm", 0, "the pixel data are truncated"))
    collector.add_error(ResultRow.of_error("scans/head/notes.txt", 0, "skipped: a text file"))
    write_report(collector, folder / "report.html", CARD)
    return folder / "report.html"


@pytest.fixture
def page(open_page, report):
    opened = open_page()
    opened.troubles = []
    opened.requests = []
    opened.on("console", lambda message: opened.troubles.append(message.text))
    opened.on("pageerror", lambda error: opened.troubles.append(str(error)))
    opened.on("request", lambda request: opened.requests.append(request.url))
    opened.goto(report.as_uri())
    yield opened
    opened.context.close()
    assert not opened.troubles


def shown(page) -> list[str]:
    return page.eval_on_selector_all(
        ".card", "cards => cards.filter(card => card.offsetParent).map(card => card.dataset.path.at(-5))"
    )


def focused(page) -> str | None:
    return page.evaluate("document.activeElement.closest('.card')?.dataset.path.at(-5) ?? null")


def test_page_asks_for_nothing_but_itself(page, report):
    page.wait_for_load_state("networkidle")
    assert [url for url in page.requests if not url.startswith("data:")] == [report.as_uri()]
    assert page.title() != "hacked"


def test_arrows_and_letters_step_from_worst_to_best(page):
    page.keyboard.press("j")
    assert focused(page) == "0"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("j")
    assert focused(page) == "2"
    page.keyboard.press("k")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert focused(page) == "0"
    page.keyboard.press("End")
    assert focused(page) == "6"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    columns = page.evaluate(
        "getComputedStyle(document.querySelector('.cards')).gridTemplateColumns.split(' ').length"
    )
    assert focused(page) == str(columns)
    page.keyboard.press("ArrowUp")
    assert focused(page) == "0"


def test_enter_enlarges_and_escape_returns_to_the_same_image(page):
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert page.inner_text("#position") == "2 of 7"
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#position") == "3 of 7"
    page.keyboard.press("k")
    facts = page.inner_text("#facts")
    assert "Motion" in facts
    assert "hold still" in facts
    assert "onerror=document.title" in facts
    width = "image => image.decode().then(() => image.naturalWidth)"
    assert page.eval_on_selector(".stage .image", width) == 384
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    assert focused(page) == "1"


def test_h_switches_the_heat_map_off_and_on(page):
    assert page.is_visible(".card .heat >> nth=0")
    page.keyboard.press("h")
    assert not page.is_visible(".card .heat >> nth=0")
    assert page.get_attribute("#heat", "aria-pressed") == "false"
    page.keyboard.press("h")
    assert page.is_visible(".card .heat >> nth=0")


def test_f_steps_through_the_verdicts(page):
    assert shown(page) == list("0123456")
    page.keyboard.press("f")
    assert shown(page) == list("0123")
    page.keyboard.press("f")
    assert shown(page) == list("234")
    page.keyboard.press("f")
    assert shown(page) == list("456")
    page.keyboard.press("f")
    assert shown(page) == []
    assert page.is_visible("text=the pixel data are truncated")
    assert page.is_visible("text=a text file")
    page.keyboard.press("f")
    assert shown(page) == list("0123456")


def test_artifact_and_verdict_filter_together(page):
    page.select_option("#kind", "noise")
    assert shown(page) == ["0", "1"]
    page.select_option("#kind", "motion")
    assert shown(page) == ["1"]
    page.click("[data-verdict=high]")
    assert shown(page) == []
    page.click("#reset")
    assert shown(page) == list("0123456")
    page.click("[data-kind=motion]")
    assert shown(page) == ["1"]


def test_search_narrows_images_and_errors_by_path(page):
    page.keyboard.press("/")
    page.keyboard.type("KNEE/")
    assert shown(page) == ["1", "3", "5"]
    assert page.is_visible("text=the pixel data are truncated")
    assert not page.is_visible("text=a text file")
    assert page.inner_text("[data-verdict=error] .count") == "1"
    page.keyboard.press("Enter")
    page.keyboard.press("j")
    assert focused(page) == "3"


def test_question_mark_lists_the_keys(page):
    page.keyboard.press("?")
    expect(page.locator("text=heat map on and off")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


def test_one_card_is_in_the_tab_order(page):
    assert page.locator(".open[tabindex='0']").count() == 1
    assert page.locator(".open[tabindex='-1']").count() == len(SCORES) - 1


@pytest.mark.parametrize("width", [768, 1024, 1920])
def test_nothing_overflows_the_width(page, resize, width):
    resize(page, width, 800)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


TEXTS = [
    ".meta",
    ".notice",
    ".verdict.low",
    ".verdict.high",
    ".verdict.review",
    ".names",
    ".file",
    ".embedded",
    ".chip[aria-pressed=true]",
    ".link",
    ".hint",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_that_wcag_asks_for(page, contrasts, scheme):
    page.emulate_media(color_scheme=scheme)
    ratios = [ratio for text in TEXTS for ratio in contrasts(page.locator(text).first)]
    assert len(ratios) == len(TEXTS)
    assert all(ratio >= 4.5 for _, ratio in ratios), ratios
