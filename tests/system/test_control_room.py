"""The control room's page in a real browser: it is driven by keys and keeps itself up to date."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import uvicorn
from playwright.sync_api import expect
from pydicom import Dataset
from pydicom.uid import MRImageStorage
from sqlalchemy import Engine

from miqanet.hospital.arrival import Arrival
from miqanet.hospital.config import read_config
from miqanet.hospital.ingest import Ingest
from miqanet.hospital.node_database import open_node_database, upgrade_node_database
from miqanet.hospital.outbox import Outbox
from miqanet.hospital.patient_study import extract
from miqanet.hospital.pictures import Pictures
from miqanet.hospital.records import Device, ImageReference, ImageResult
from miqanet.hospital.rest import create_app, uvicorn_config
from miqanet.hospital.spool import Spool
from miqanet.hospital.store import NodeStore
from miqanet.hospital.tokens import Permission, Tokens
from miqanet.verdict import Finding, Quality, Verdict

pytestmark = pytest.mark.system

SCRIPT = "<img src=x onerror=\"document.title='hacked'\">"
VERDICTS = {
    "repeat": Verdict(Quality.LOW, 0.93, False, (Finding("motion", 0.9),), "miqanet 1", 0.5),
    "check": Verdict(Quality.HIGH, 0.45, True, (), "miqanet 1", 0.5),
    "good": Verdict(Quality.HIGH, 0.03, False, (), "miqanet 1", 0.5),
}


@dataclass(frozen=True)
class Node:
    """The web side of a node on a port of this machine."""

    url: str
    token: str
    engine: Engine
    store: NodeStore
    pictures: Pictures
    stop: Callable[[], None]

    def come(
        self, number: int, word: str, images: int = 3, scanner: str = "MR 1", description: str = ""
    ) -> None:
        """Let a series come in and be judged; of one that was there before, only what is new."""
        patient = Dataset()
        patient.PatientName = "Doe^Jane"
        for image in range(images):
            uid = f"1.2.{number}.{image}"
            arrival = Arrival(
                study_instance_uid=f"1.2.{number}",
                series_instance_uid=f"1.2.{number}.9",
                sop_class_uid=MRImageStorage,
                sop_instance_uid=uid,
                path=f"images/{uid}",
                instance_number=image + 1,
                series_number=number,
                series_description=description or f"T1 sag {number}",
                accession_number=f"A{number}",
                scanner=scanner,
                patient_study=extract(patient),
            )
            if not self.store.add_image(arrival, time.time()):
                continue
            (taken,) = self.store.take_images(time.time() + 1, 1.0, 1)
            ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
            self.pictures.put(taken.id, ramp, np.full((16, 16), 9, np.float32))
            reason = "" if word in VERDICTS else "its pixels are cut short"
            result = ImageResult(ImageReference(MRImageStorage, uid), VERDICTS.get(word), reason)
            self.store.add_verdicts(taken.id, [result])


@pytest.fixture
def node(tmp_path, free_port):
    port = free_port()
    (tmp_path / "miqanet.toml").write_text(
        '[[dicom.peers]]\nae_title = "A"\naddresses = ["127.0.0.1"]\n'
        f'[web]\nport = {port}\n[storage]\nspool = "spool"\n'
        '[[archives]]\nname = "pacs"\nurl = "http://127.0.0.1:1"\n',
        encoding="utf-8",
    )
    config = read_config(tmp_path / "miqanet.toml")
    spool = Spool(config.storage.spool)
    engine = open_node_database(config.storage.database_url)
    upgrade_node_database(engine)
    store = NodeStore(engine)
    served = create_app(engine, config, Ingest(spool, store)).served
    server = uvicorn.Server(uvicorn_config(served, config.web))
    thread = threading.Thread(target=server.run)
    thread.start()

    def stop():
        server.should_exit = True
        thread.join(300)
        assert not thread.is_alive()

    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    token = Tokens(config.web.tokens).add("ann", [Permission.READ])
    yield Node(f"http://127.0.0.1:{port}", token, engine, store, Pictures(config.storage.spool), stop)
    stop()
    engine.dispose()


@pytest.fixture
def page(node, open_page):
    opened = open_page(color_scheme="dark")
    opened.troubles, opened.requests = [], []
    opened.on(
        "console",
        lambda message: (
            opened.troubles.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    opened.on("pageerror", lambda error: opened.troubles.append(str(error)))
    opened.on("request", lambda request: opened.requests.append(request.url))
    opened.goto(node.url)
    expect(opened.locator("#token")).to_be_focused()
    opened.keyboard.type(node.token)
    opened.keyboard.press("Enter")
    opened.wait_for_url(f"{node.url}/")
    return opened


def words(page):
    return page.eval_on_selector_all("#live tbody tr", "rows => rows.map(row => row.dataset.word)")


def shown(page, number):
    """Wait until the series of a number is the one that is shown."""
    expect(page.locator("#detail h1")).to_have_text(f"T1 sag {number}")


def test_what_comes_in_appears_by_itself_and_the_last_to_repeat_is_followed(page, node):
    expect(page.locator("#live")).to_contain_text("No series has come in yet")
    node.come(1, "good")
    shown(page, 1)
    node.come(2, "repeat")
    shown(page, 2)
    expect(page.locator("#announcement")).to_have_text("1 more series to repeat")
    expect(page.locator("#detail .advice")).to_contain_text("consider a repeat")
    node.come(3, "check")
    page.wait_for_selector("tr[data-word=check]")
    assert words(page) == ["check", "repeat", "good"]
    shown(page, 2)
    assert not page.troubles


def test_the_panel_says_when_an_archive_has_the_report(page, node):
    node.come(1, "good")
    shown(page, 1)
    device = Device(node.store.device_uid(), "MIQANET", "1")
    outbox = Outbox(node.engine)
    outbox.complete_series(time.time() + 1, datetime.now(UTC), device, ["pacs"])
    expect(page.locator("#detail")).to_contain_text("Report on its way to pacs")
    (send,) = outbox.take_sends("pacs", time.time() + 1, 60.0, 1)
    outbox.sent(send.id)
    expect(page.locator("#detail")).to_contain_text("Report in pacs", timeout=30_000)
    assert not page.troubles


def test_what_could_not_be_judged_and_archives_that_are_gone_are_told(page, node):
    node.come(1, "good")
    node.come(1, "error", images=5)
    device = Device(node.store.device_uid(), "MIQANET", "1")
    Outbox(node.engine).complete_series(time.time() + 1, datetime.now(UTC), device, ["old-pacs"])
    expect(page.locator("#live tbody tr")).to_contain_text("2 not judged", timeout=30_000)
    expect(page.locator("#detail .advice")).to_contain_text("2 could not be judged")
    expect(page.locator(".archives .failing")).to_contain_text(
        "old-pacs 1 waiting, no longer in the configuration"
    )


def test_keys_step_through_the_series(page, node):
    for number, word in enumerate(("repeat", "good", "repeat", "good"), start=1):
        node.come(number, word)
    page.reload()
    shown(page, 3)
    page.keyboard.press("j")
    shown(page, 2)
    page.keyboard.press("ArrowDown")
    shown(page, 1)
    page.keyboard.press("k")
    shown(page, 2)
    expect(page).to_have_url(f"{node.url}/?series=2")
    page.keyboard.press("n")
    shown(page, 1)
    page.keyboard.press("n")
    shown(page, 3)
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{node.url}/")
    page.keyboard.press("f")
    page.wait_for_url("**/?verdict=repeat")
    assert words(page) == ["repeat", "repeat"]
    page.keyboard.press("s")
    assert page.evaluate("document.activeElement.id") == "scanner"
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("A3")
    page.keyboard.press("Enter")
    page.wait_for_url("**accession=A3*")
    assert words(page) == ["repeat"]
    page.keyboard.press("d")
    page.wait_for_url("**/drift")
    page.keyboard.press("Escape")
    page.wait_for_url(f"{node.url}/")
    assert not page.troubles


def test_a_chosen_series_stays_while_others_come_and_changes_with_its_images(page, node):
    node.come(1, "good")
    shown(page, 1)
    page.keyboard.press("j")
    node.come(2, "repeat")
    page.wait_for_selector("tr[data-word=repeat]")
    shown(page, 1)
    assert page.evaluate("document.activeElement.closest('tr').dataset.id") == "1"
    node.come(1, "repeat", images=6)
    expect(page.locator("#detail .advice")).to_contain_text("3 of 6 images are of low")
    assert not page.troubles


def test_a_late_answer_about_another_series_is_not_shown(page, node):
    for number in (1, 2):
        node.come(number, "good")
    page.reload()
    shown(page, 2)
    held = []

    def hold(route):
        held.append(route)

    page.route("**/series/1", hold)
    with page.expect_request("**/series/1"):
        page.keyboard.press("j")
    page.keyboard.press("k")
    with page.expect_response("**/series/1"):
        held.pop().continue_()
    page.wait_for_timeout(200)  # for what ought not to happen
    shown(page, 2)


def test_a_series_whose_answer_was_lost_is_asked_for_again(page, node):
    for number in (1, 2):
        node.come(number, "good")
    page.reload()
    shown(page, 2)
    page.route("**/series/1", lambda route: route.abort(), times=1)
    page.keyboard.press("j")
    shown(page, 1)


def test_a_node_that_keeps_silent_is_noticed(page, node):
    node.come(1, "good")
    shown(page, 1)
    page.route("**/live*", lambda _: None)
    expect(page.locator("#lost")).to_be_visible()
    page.unroute_all(behavior="ignoreErrors")
    expect(page.locator("#lost")).to_be_hidden()


def test_the_picture_is_enlarged_and_its_heat_map_switched_by_keys(page, node):
    node.come(1, "repeat")
    shown(page, 1)
    page.wait_for_selector("#detail .heat")
    assert (
        page.eval_on_selector("#detail .heat", "image => image.decode().then(() => image.naturalWidth)") == 64
    )
    page.keyboard.press("h")
    expect(page.locator("#detail .heat")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("#enlarged .image")).to_be_visible()
    expect(page.locator("#enlarged .heat")).to_be_hidden()
    page.keyboard.press("h")
    expect(page.locator("#enlarged .heat")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#enlarged")).to_be_hidden()
    page.click("#detail .picture")
    page.click("#enlarged >> text=Heat map")
    expect(page.locator("#enlarged .heat")).to_be_hidden()
    expect(page.locator("#enlarged figcaption")).to_contain_text("probability of low 0.93")
    page.click("#enlarged >> text=Close")
    expect(page.locator("#enlarged")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("text=next series to repeat")).to_be_visible()
    assert not page.troubles


def test_times_are_those_of_the_clock_on_the_wall(node, open_page):
    node.come(1, "good")
    page = open_page(timezone_id="Pacific/Kiritimati")
    page.clock.set_fixed_time(datetime.now(UTC))
    page.goto(node.url)
    page.fill("#token", node.token)
    page.press("#token", "Enter")
    for place in ("#live", "#detail"):
        time_there = page.locator(f"{place} time")
        moment = datetime.fromisoformat(time_there.get_attribute("datetime"))
        expect(time_there).to_have_text(f"{moment.astimezone(ZoneInfo('Pacific/Kiritimati')):%H:%M:%S}")
        expect(page.locator(f"{place} .age")).to_have_text("now")


def test_fingers_find_what_they_aim_at_on_a_tablet(node, open_page):
    for number, word in enumerate(VERDICTS, start=1):
        node.come(number, word, description="T1 MPRAGE sagittal")
    page = open_page(viewport={"width": 1024, "height": 768}, has_touch=True)
    page.goto(node.url)
    page.fill("#token", node.token)
    page.press("#token", "Enter")
    page.wait_for_url(f"{node.url}/")
    expect(page.locator("#detail h1")).to_be_visible()
    for selector in (".chip", "#live tbody tr", "select", "input", "button", "nav a"):
        heights = page.eval_on_selector_all(selector, HEIGHTS)
        assert min(height for height in heights if height) >= 44, selector
    assert page.locator(".top").bounding_box()["height"] < 80
    # What is too long ends in an ellipsis, after words that can be read.
    assert page.locator(".name bdi").first.bounding_box()["width"] > 100


def test_a_node_that_does_not_answer_is_noticed(page, node):
    node.come(1, "good")
    shown(page, 1)
    node.stop()
    expect(page.locator("#lost")).to_be_visible()
    expect(page.locator("#lost")).to_contain_text("may be old")


def test_a_script_in_a_description_does_nothing(page, node):
    node.come(1, "repeat", description=SCRIPT, scanner=SCRIPT)
    expect(page.locator("#detail h1")).to_have_text(SCRIPT)
    expect(page.locator("#live tbody")).to_contain_text(SCRIPT)
    assert page.title() == "Control room · miqanet"
    page.goto(f"{node.url}/drift")
    expect(page.locator("figcaption")).to_contain_text(SCRIPT)
    assert page.title() == "Drift · miqanet"
    assert all(request.startswith(node.url) for request in page.requests)
    assert not page.troubles


def test_without_a_script_links_do_it(node, open_page):
    for number, word in enumerate(("repeat", "good"), start=1):
        node.come(number, word)
    page = open_page(java_script_enabled=False)
    page.goto(node.url)
    page.fill("#token", node.token)
    page.press("#token", "Enter")
    shown(page, 1)
    page.click("text=T1 sag 2")
    shown(page, 2)
    page.click("a.chip.good")
    expect(page.locator("#live tbody tr")).to_have_count(1)
    page.click("text=Sign out")
    expect(page).to_have_url(f"{node.url}/login")
    page.goto(node.url)
    assert page.url == f"{node.url}/login"


@pytest.mark.parametrize("width", [768, 1024, 1366, 1920])
def test_nothing_overflows_the_width(page, node, resize, width):
    for number, word in enumerate(VERDICTS, start=1):
        node.come(number, word, images=12, scanner="MAGNETOM " + "X" * 20, description="T2 TSE " * 20)
    resize(page, width, 900)
    for address in ("/", "/drift"):
        page.goto(node.url + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


HEIGHTS = "nodes => nodes.map(node => node.getBoundingClientRect().height)"

TEXTS = (
    ".verdict, .chip, .note, .archives li, .age, .advice, .soft, b.repeat, .facts dt, figcaption, #updated"
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_that_wcag_asks_for(page, node, contrasts, scheme):
    for number, word in enumerate(VERDICTS, start=1):
        node.come(number, word)
    page.emulate_media(color_scheme=scheme)
    page.evaluate("localStorage.clear()")
    page.reload()
    expect(page.locator("#live tbody tr")).to_have_count(3)
    shown(page, 1)
    ratios = contrasts(page.locator(TEXTS))
    assert len(ratios) > 20
    assert all(ratio >= 4.5 for _, ratio in ratios), ratios
