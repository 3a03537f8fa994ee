"""The rating page in a real browser: its viewer, its keys, what it does when the network or the session fails."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.system

IMAGES = (1, 21, 42, 56, 63)
TRAINING = (7, 8)
TESTS = (
    "viewer",
    "touch",
    "undo",
    "pause",
    "offline",
    "closed",
    "picture",
    "session",
    "another",
    "missing",
    "early",
    "keys",
    "layout",
    "theme",
    "patience",
)
"""Every test has a rater of its own."""


@pytest.fixture(scope="module")
def room(open_room):
    options = ("--minimum-seconds", "0.2", "--name", "<img src=x onerror=document.title='hacked'>")
    return open_room(IMAGES, (*TESTS, "trainee"), *options, training=TRAINING)


@pytest.fixture
def trained(room, sit_down):
    """A rater's seat, before the first image without feedback."""

    def train(name, **context):
        seat = sit_down(room, name, **context)
        seat.page.wait_for_selector("#go:visible")
        seat.press("Enter")
        for _ in TRAINING:
            seat.ready()
            seat.press("l")
            seat.page.wait_for_selector("#feedback:visible")
            seat.press("Enter")
        seat.page.wait_for_selector("text=without feedback")
        seat.press("Enter")
        seat.ready()
        return seat

    return train


def readings(room, rater):
    """Return what was kept of a rater after the training: category, tags, confidence, view, in this order."""
    query = """
        SELECT category, tags, confidence, dwell_ms, view FROM readings
        JOIN presentations ON presentations.id = presentation_id
        JOIN participants ON participants.id = participant_id
        WHERE name = ? AND purpose != 'training' ORDER BY readings.id
    """
    with closing(sqlite3.connect(room.database / "database.sqlite")) as connection:
        rows = connection.execute(query, (rater,)).fetchall()
    return [(category, json.loads(tags), *rest, json.loads(view)) for category, tags, *rest, view in rows]


def window(seat):
    level, width = seat.text("#window").replace("L ", "").split("W ")
    return int(level), int(width)


BRIGHTNESS = """([x, y]) => {
    const canvas = document.querySelector("#picture");
    const small = document.createElement("canvas");
    const context = small.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, x * canvas.width, y * canvas.height, 8, 8, 0, 0, 1, 1);
    return context.getImageData(0, 0, 1, 1).data[0];
}"""
"""How bright the canvas is at a place, 0..255."""


def test_training_tells_what_was_expected_and_then_ends(room, sit_down):
    seat = sit_down(room, "trainee")
    seat.page.wait_for_selector("#go:visible")
    assert "training" in seat.text("#cover-text")
    seat.press("Enter")
    corrections = []
    for number in range(len(TRAINING)):
        seat.ready()
        assert seat.text("#place") == f"Training {number + 1} of 2"
        image = seat.seen()
        seat.press("l")
        seat.page.wait_for_selector("#feedback:visible")
        corrections.append(seat.text("#feedback-title"))
        assert seat.text("#feedback-text") == f"It shows {image}."
        assert seat.seen() == image
        seat.press("l")  # means nothing now
        seat.press("Enter")
    assert sorted(corrections) == ["As expected", "Not what was expected"]
    seat.page.wait_for_selector("text=without feedback")
    assert seat.text("#place") == "1 of 6"
    assert readings(room, "trainee") == []


def test_keys_and_mouse_change_window_zoom_and_place(trained, room):
    seat = trained("viewer")
    seat.drawn()
    page = seat.page
    number = seat.seen()
    level, width = window(seat)
    box = page.locator("#picture").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 100, middle[1] + 50)
    page.mouse.up()
    dragged = window(seat)
    assert dragged[0] > level
    assert dragged[1] > width
    seat.press("w", "d")
    assert window(seat)[0] < dragged[0]
    assert window(seat)[1] < dragged[1]
    seat.press("r")
    assert window(seat) == (level, width)

    fitted = seat.text("#zoom")
    page.mouse.wheel(0, -200)
    expect(page.locator("#zoom")).not_to_have_text(fitted)
    seat.press("-", "=", "+")
    assert int(seat.text("#zoom").split()[0]) > 1.5 * int(fitted.split()[0])
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(middle[0] + 300, middle[1] + 200)
    page.mouse.up()
    page.keyboard.up("Shift")
    page.mouse.down(button="middle")
    page.mouse.move(*middle)
    page.mouse.up(button="middle")
    seat.press("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown")
    assert window(seat) == (level, width)
    seat.press("r")
    assert seat.text("#zoom") == fitted
    seat.drawn()
    assert seat.seen() == number

    seat.press("i", "b", "a", "4", "0", "c", "l")
    seat.ready()
    ((category, tags, confidence, dwell_ms, view),) = readings(room, "viewer")
    assert (category, tags, confidence) == ("low", ["metal", "other"], 1)
    assert dwell_ms >= 200
    assert view["inverted"]
    assert view["background_boost"]
    assert view["width"] > width
    assert page.get_attribute("#invert", "aria-pressed") == "false"
    assert page.locator(".tag[aria-pressed=true], [data-confidence][aria-pressed=true]").count() == 0


def test_boost_lifts_the_dark_end_and_inversion_turns_it_round(trained):
    seat = trained("keys")
    seat.drawn()
    for place in ((0.3, 0.2), (0.5, 0.2), (0.7, 0.2), (0.3, 0.7), (0.5, 0.7), (0.7, 0.7)):
        before = seat.page.evaluate(BRIGHTNESS, place)
        if before < 80:
            break
    seat.press("b")
    seat.drawn()
    boosted = seat.page.evaluate(BRIGHTNESS, place)
    assert boosted > before + 40
    seat.press("i")
    seat.drawn()
    assert seat.page.evaluate(BRIGHTNESS, place) == pytest.approx(255 - boosted, abs=2)
    seat.press("?")
    expect(seat.page.locator("text=boost the background")).to_be_visible()
    seat.press("h")  # no verdict behind the dialog
    seat.press("Escape")
    expect(seat.page.locator("#keys")).to_be_hidden()
    assert seat.text("#place") == "1 of 6"


def test_two_fingers_zoom_and_one_sets_the_window(trained, room):
    seat = trained("touch", viewport={"width": 820, "height": 1180}, has_touch=True)
    seat.drawn()
    fitted, opened = seat.text("#zoom"), window(seat)
    client = seat.page.context.new_cdp_session(seat.page)

    def touch(kind, *points):
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    touch("touchStart", (400, 300))
    touch("touchMove", (460, 340))
    touch("touchEnd")
    assert window(seat)[1] > opened[1]
    assert seat.text("#zoom") == fitted
    dragged = window(seat)
    touch("touchStart", (350, 300), (450, 300))
    touch("touchMove", (300, 300), (500, 300))
    touch("touchEnd")
    assert int(seat.text("#zoom").split()[0]) == pytest.approx(2 * int(fitted.split()[0]), rel=0.02)
    assert window(seat) == dragged
    # A tap becomes a click after a while.
    seat.page.tap("[data-tag=ghosting]")
    expect(seat.page.locator("[data-tag=ghosting]")).to_have_attribute("aria-pressed", "true")
    seat.page.tap("[data-quality=low]")
    expect(seat.page.locator("#place")).to_have_text("2 of 6")
    seat.ready()
    assert readings(room, "touch")[0][:2] == ("low", ["ghosting"])


def test_undo_brings_back_the_image_and_what_was_said_of_it(trained, room):
    seat = trained("undo")
    first = seat.seen()
    assert seat.page.is_disabled("#undo")
    seat.press("2", "c", "l")
    seat.ready()
    assert seat.seen() != first
    seat.press("u")
    seat.page.wait_for_selector("text=Taken back: Low")
    seat.ready()
    assert seat.seen() == first
    assert seat.text("#place") == "1 of 6"
    assert seat.page.get_attribute("[data-tag=ghosting]", "aria-pressed") == "true"
    seat.press("h")
    seat.ready()
    assert [row[:3] for row in readings(room, "undo")] == [
        ("low", ["ghosting"], 1),
        ("high", ["ghosting"], 1),
    ]


def test_next_image_is_here_before_the_verdict(trained):
    seat = trained("theme")
    asked = []
    seat.page.on("request", lambda request: asked.append(request.url.rsplit("/", 2)[-2]))
    seat.page.route("**/api/votes", lambda _: None)  # a network that takes forever
    first = seat.seen()
    with seat.page.expect_request("**/api/votes"):
        seat.press("l")
    seat.page.wait_for_selector(".room[data-loading=false]")
    assert seat.text("#place") == "2 of 6"
    assert seat.seen() != first
    assert set(asked) == {"api"}
    seat.press("t")
    theme = seat.page.get_attribute("html", "data-theme")
    seat.page.unroute_all(behavior="ignoreErrors")
    seat.page.reload()
    assert seat.page.get_attribute("html", "data-theme") == theme


def test_pause_hides_the_image_stops_the_clock_and_ends_on_any_machine(trained, room, sit_down):
    seat = trained("pause")
    began = time.monotonic()
    seat.press("l")
    seat.ready()
    seat.press("p")
    assert not seat.page.is_visible("#picture")
    seat.press("h")  # means nothing now
    seat.page.wait_for_timeout(1500)
    seat.press("Enter")
    seat.ready()
    seat.press("h")
    in_all_ms = 1000 * (time.monotonic() - began)
    seat.ready()
    (_, (*_, dwell_ms, _)) = readings(room, "pause")
    assert dwell_ms <= in_all_ms - 1500
    seat.press("Escape")
    elsewhere = sit_down(room, "pause")
    elsewhere.page.wait_for_selector("text=Welcome back")
    assert "4 of 6 images left" in elsewhere.text("#cover-text")
    elsewhere.press("Enter")
    elsewhere.ready()
    assert elsewhere.text("#place") == "3 of 6"


def test_vote_is_kept_told_and_sent_once_when_the_network_fails(trained, room):
    seat = trained("offline")
    seat.forgiven = "ERR_INTERNET_DISCONNECTED"
    seat.page.context.set_offline(True)
    seat.press("l")
    seat.page.wait_for_selector("#trouble:visible")
    assert "not saved yet" in seat.text("#trouble")
    seat.press("h")  # not before the first is saved
    assert readings(room, "offline") == []
    seat.page.context.set_offline(False)
    seat.ready()
    expect(seat.page.locator("#trouble")).to_be_hidden()
    assert [category for category, *_ in readings(room, "offline")] == ["low"]


def test_vote_survives_a_lost_answer_and_a_closed_page(trained, room):
    seat = trained("closed")

    lose_answers = """() => {
        const send = window.fetch;
        window.fetch = async (path, options) => {
            const answer = await send(path, options);
            if (path === "/api/votes") throw new TypeError("the answer is lost");
            return answer;
        };
    }"""
    seat.page.evaluate(lose_answers)
    seat.press("l")
    seat.page.wait_for_selector("#trouble:visible")
    seat.page.reload()
    seat.page.wait_for_selector("text=Welcome back")
    assert "5 of 6 images left" in seat.text("#cover-text")
    assert len(readings(room, "closed")) == 1
    assert seat.page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('vote'))") == []


def test_a_picture_that_comes_at_last_does_not_hide_that_a_vote_is_not_saved(room, sit_down):
    seat = sit_down(room, "picture")
    seat.page.wait_for_selector("#go:visible")
    told = seat.page.evaluate("""async () => {
        const failures = { vote: 2, picture: 1 };
        window.fetch = async path => {
            if (failures[path]-- > 0) throw new TypeError("no network");
            return new Response("{}");
        };
        const told = [];
        const persistence = new Persistence(trouble => told.push(trouble !== null));
        await Promise.all([persistence.ask("vote"), persistence.ask("picture")]);
        return told;
    }""")
    assert told == [True, True, True, False]


def test_a_vote_that_was_kept_for_another_study_is_not_sent(trained):
    seat = trained("another")
    keep = """() => {
        const { protocol_version: version, rater } = JSON.parse(document.querySelector("#config").textContent);
        for (const study of ["", "0123456789ab "]) localStorage.setItem(`vote of ${study}${rater}`, "{}");
        localStorage.setItem(`vote of ${version} another-rater`, "{}");
    }"""
    seat.page.evaluate(keep)
    sent = []
    seat.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    seat.page.reload()
    seat.page.wait_for_selector("#go:visible")
    assert sent == []


def test_an_image_that_cannot_be_read_ends_in_a_message_and_may_be_asked_for_again(trained):
    seat = trained("missing")
    refusal = {"status": 404, "json": {"error": "Tell who runs the study."}}
    seat.forgiven = "404"
    seat.page.route("**/api/pixels/*", lambda route: route.fulfill(**refusal))
    seat.page.reload()
    seat.page.wait_for_selector("#go:visible")
    seat.press("Enter")
    seat.page.wait_for_selector("text=This cannot go on")
    assert seat.text("#cover-text") == "Tell who runs the study."
    seat.page.unroute_all(behavior="ignoreErrors")
    seat.press("Enter")
    seat.page.wait_for_selector("text=without feedback")
    seat.press("Enter")
    seat.ready()


def test_a_picture_that_does_not_come_is_waited_for_longer_each_time(trained):
    seat = trained("patience")
    seat.forgiven = "ERR_TIMED_OUT"
    note = "window.limits = []; AbortSignal.timeout = ms => (limits.push(ms), new AbortController().signal);"
    seat.page.add_init_script(note)
    seat.page.route("**/api/pixels/*", lambda route: route.abort("timedout"))
    seat.page.reload()
    # Where the rater stands, and two pictures three times.
    seven = """async () => {
        while (limits.length < 7) await new Promise(resolve => setTimeout(resolve, 20));
        return limits.slice(0, 7);
    }"""
    assert seat.page.evaluate(seven) == [*[10000] * 3, *[20000] * 2, *[40000] * 2]
    seat.page.unroute_all(behavior="ignoreErrors")
    seat.page.wait_for_selector("#go:visible")
    seat.press("Enter")
    seat.ready()


def test_vote_outlives_the_session(trained, room):
    seat = trained("session")
    seat.forgiven = "401"
    cookies = seat.page.context.cookies()
    seat.page.context.clear_cookies()
    seat.press("l")
    seat.page.wait_for_selector("text=Please sign in again")
    assert "kept on this machine" in seat.text("#cover-text")
    assert readings(room, "session") == []
    seat.page.context.add_cookies(cookies)
    seat.press("Enter")
    seat.page.wait_for_selector("text=Welcome back")
    assert len(readings(room, "session")) == 1


def test_verdict_waits_for_the_minimum_viewing_time(trained, room):
    seat = trained("early")
    clock = seat.page.clock
    # Before the page is there: what is on its way to it would be given up when the time leaps.
    clock.install(time=0)
    clock.pause_at(3600)
    seat.page.reload()
    seat.page.wait_for_selector("#go:visible")
    seat.press("Enter")
    seat.page.wait_for_selector(".room[data-early=true][data-loading=false]")
    clock.run_for(150)
    seat.press("h")
    assert seat.text("#status") == "Please look a little longer."
    clock.run_for(100)
    seat.ready()
    seat.press("l")
    seat.page.wait_for_selector(".room[aria-busy=false]")
    seat.press("h")  # a key pressed twice must not judge an image that nobody has looked at
    assert seat.text("#place") == "2 of 6"
    assert [row[0] for row in readings(room, "early")] == ["low"]


SIZES = ((1366, 768), (1366, 640), (1920, 1080), (1180, 820), (820, 1180), (768, 1024))


def test_panel_lies_beside_the_picture_at_every_size(trained, resize):
    seat = trained("layout")
    for width, height in SIZES:
        resize(seat.page, width, height)
        picture, panel = (seat.page.locator(part).bounding_box() for part in ("#picture", ".panel"))
        beside = picture["x"] + picture["width"] <= panel["x"] + 1
        above = picture["y"] + picture["height"] <= panel["y"] + 1
        assert beside or above
        assert min(picture["width"], picture["height"]) > height * 0.45
        assert seat.page.evaluate("document.documentElement.scrollWidth") <= width
        assert seat.page.evaluate("document.documentElement.scrollHeight") <= height
        for control in (".verdict >> nth=1", "#undo", "#pause", "#help"):
            box = seat.page.locator(control).bounding_box()
            assert box["y"] + box["height"] <= height
            assert box["height"] >= 24  # WCAG 2.2, target size


TEXTS = [
    "#place",
    "#who",
    "#question",
    ".verdict",
    ".verdict kbd",
    ".tag",
    ".tag kbd",
    ".tag[aria-pressed=true]",
]
TEXTS += [
    "#window",
    "#zoom",
    "#pause",
    "#status",
    "#trouble-text",
    ".primary",
    "#feedback-title",
    "#cover-text",
]


def test_text_has_contrast_and_controls_have_names_in_both_themes(room, sit_down, contrasts):
    for scheme in ("dark", "light"):
        seat = sit_down(room, "layout", color_scheme=scheme, reduced_motion="reduce")
        seat.page.wait_for_selector("#go:visible")
        seat.press("Enter")
        seat.ready()
        seat.press("1")
        ratios = [ratio for text in TEXTS for ratio in contrasts(seat.page.locator(text).first)]
        assert len(ratios) == len(TEXTS)
        assert all(ratio >= 4.5 for _, ratio in ratios), ratios
        nameless = "[...document.querySelectorAll('button')].filter(each => !each.textContent.trim()).length"
        assert seat.page.evaluate(nameless) == 0
        reached = set()
        for _ in range(30):
            seat.press("Tab")
            reached.add(seat.page.evaluate("document.activeElement.id || document.activeElement.dataset.tag"))
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert (
                seat.page.evaluate(f"document.activeElement === document.body ? 'solid' : {outline}")
                == "solid"
            )
        assert {"picture", "motion", "invert", "pause", "help"} <= reached


def test_raters_see_no_administration_and_strangers_nothing(room, sit_down):
    rater, head = sit_down(room, "layout"), sit_down(room, "head")
    rater.forgiven, head.forgiven = "403", "401"
    assert rater.page.goto(rater.page.url + "admin").status == 403
    head.page.wait_for_selector("tbody tr >> nth=5")
    assert head.text("h1") == "<img src=x onerror=document.title='hacked'>"
    assert head.page.title() != "hacked"
    head.page.click("#leave")
    head.page.wait_for_selector("text=invitation link")
