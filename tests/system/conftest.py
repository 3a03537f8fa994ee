"""A browser, and rating rooms for it: databases of numbered images, served by the real command line."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright import sync_api as playwright

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
COMMAND = str(Path(sys.executable).parent / "miqanet")
BITS = 6
SIDE = 96

PATIENCE_MS = 120_000
"""How long a browser is waited for: a slow machine is no failure."""

READY = ".room[data-phase=judging][data-loading=false][data-early=false][aria-busy=false]"
"""The image is in sight, the last vote is saved, and a verdict may be given."""

LOOK = """async ready => {
    while (!document.querySelector(ready)) await new Promise(resolve => setTimeout(resolve, 5));
    const canvas = document.querySelector("#picture");
    const side = Math.min(canvas.width, canvas.height);
    const small = document.createElement("canvas");
    [small.width, small.height] = [3, 2];
    const context = small.getContext("2d", { willReadFrequently: true });
    context.imageSmoothingQuality = "high";
    context.drawImage(canvas, (canvas.width - side) / 2, (canvas.height - side) / 2, side, side, 0, 0, 3, 2);
    const pixels = context.getImageData(0, 0, 3, 2).data;
    const number = [0, 1, 2, 3, 4, 5].reduce((sum, bit) => sum + (pixels[4 * bit] > 127) * 2 ** bit, 0);
    return [document.querySelector("#place").textContent, number];
}"""
"""Where the rater stands, and the number of the image that the canvas shows: six fields, bright for 1."""

TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""What observes sizes is told of them after the first."""

RESIZED = """async ([width, height]) => {
    const frame = () => new Promise(requestAnimationFrame);
    while (innerWidth !== width || innerHeight !== height) await frame();
    await frame().then(frame);
}"""
# Not `wait_for_function`, whose second look the pages' content security policy forbids.

CONTRAST = """nodes => {
    const numbers = text => text.match(/[\\d.]+/g).map(Number);
    const linear = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) =>
        0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
    const ground = node => {
        const color = numbers(getComputedStyle(node).backgroundColor);
        return color[3] === 0 ? ground(node.parentElement) : color;
    };
    return nodes.map(node => {
        const colors = [numbers(getComputedStyle(node).color), ground(node)];
        const [brighter, darker] = colors.map(luminance).sort((a, b) => b - a);
        return [node.id || node.className || node.tagName, (brighter + 0.05) / (darker + 0.05)];
    });
}"""
"""Contrast of text to its ground (WCAG 2.1, relative luminance)."""


@pytest.fixture(scope="session")
def contrasts() -> Callable[[playwright.Locator], list[tuple[str, float]]]:
    """Measure the contrast of texts to their ground, each with a name."""
    return lambda texts: texts.evaluate_all(CONTRAST)


@pytest.fixture(scope="session")
def resize() -> Callable[[playwright.Page, int, int], None]:
    """Give a page another width and height, and wait until it is laid out anew."""

    def set_size(page: playwright.Page, width: int, height: int) -> None:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(RESIZED, [width, height])

    return set_size


@pytest.fixture(scope="session")
def browser() -> Iterator[playwright.Browser]:
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    playwright.expect.set_options(timeout=PATIENCE_MS)
    with playwright.sync_playwright() as engine:
        try:
            running = engine.chromium.launch(executable_path=executable, args=OPTIONS, timeout=PATIENCE_MS)
        except playwright.Error as error:
            pytest.skip(f"no Chromium: {error}")
        yield running
        running.close()


@pytest.fixture
def open_page(browser: playwright.Browser) -> Iterator[Callable[..., playwright.Page]]:
    """Return an opener of empty pages, each in a browser of its own."""
    contexts: list[playwright.BrowserContext] = []

    def open_one(**settings: Any) -> playwright.Page:
        context = browser.new_context(**({"viewport": {"width": 1366, "height": 768}} | settings))
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()


@dataclass(frozen=True)
class Room:
    """A served study."""

    database: Path
    links: dict[str, str]
    """Each participant's invitation."""

    def number(self, path: Path) -> int:
        """Return the number of an image by its file."""
        pixels = np.asarray(Image.open(path)).reshape(2, SIDE // 2, 3, SIDE // 3).mean(axis=(1, 3)).ravel()
        return int((pixels > 32768).astype(int) @ 2 ** np.arange(BITS))


def _run(*arguments: str | Path) -> str:
    command = [COMMAND, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def miqanet() -> Callable[..., str]:
    """Run miqanet's command line and return what it prints."""
    return _run


@pytest.fixture(scope="session")
def numbered_images(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sequence[int]], Path]:
    """Write images that show their number: fields, 2 x 3, bright for 1."""

    def write(numbers: Sequence[int]) -> Path:
        folder = tmp_path_factory.mktemp("numbered")
        for number in numbers:
            bits = number >> np.arange(BITS).reshape(2, 3) & 1
            fields = np.kron(0.1 + 0.8 * bits, np.ones((SIDE // 2, SIDE // 3)))
            noise = np.random.default_rng(number).normal(0, 0.02, fields.shape)
            pixels = np.rint(65535 * np.clip(fields + noise, 0, 1)).astype(np.uint16)
            Image.fromarray(pixels).save(folder / f"{number}.png")
        return folder

    return write


@pytest.fixture(scope="session")
def open_room(
    tmp_path_factory: pytest.TempPathFactory,
    numbered_images: Callable[[Sequence[int]], Path],
    free_port: Callable[[], int],
) -> Iterator[Callable[..., Room]]:
    """Begin a study of numbered images and serve it until the tests are over."""
    servers: list[subprocess.Popen[bytes]] = []

    def begin(
        numbers: Sequence[int], raters: Sequence[str], *options: str, training: Sequence[int] = ()
    ) -> Room:
        folder = tmp_path_factory.mktemp("room")
        database = folder / "database"
        images = numbered_images([*numbers, *training])
        _run("database", "import", images, database, "--key", folder / "key", "--create-key")
        (folder / "raters.csv").write_text("\n".join([*raters, "head,admin"]), encoding="utf-8")
        if training:
            room = Room(database, {})
            lines = [
                f"images/{path.name},{'low' if training.index(number) % 2 else 'high'},It shows {number}."
                for path in sorted((database / "images").iterdir())
                if (number := room.number(path)) in training
            ]
            text = "\n".join(["image,expected,text", *lines])
            (folder / "training.csv").write_text(text, encoding="utf-8")
            options = (*options, "--training", str(folder / "training.csv"))
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        printed = _run("study", "create", database, "--raters", folder / "raters.csv", "--url", url, *options)
        command = [COMMAND, "study", "serve", str(database), "--port", str(port)]
        servers.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        _wait_for(port, servers[-1])
        return Room(database, dict(re.findall(r"^(\S+) \(.*\): (http\S+)$", printed, re.MULTILINE)))

    yield begin
    for server in servers:
        server.send_signal(signal.SIGINT)
    for server in servers:
        server.wait(timeout=300)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)


@dataclass
class Seat:
    """A rater, or the administrator, before a browser of his or her own."""

    page: playwright.Page
    troubles: list[str] = field(default_factory=list)
    """What the browser complains of."""

    forgiven: str | None = None
    """Words of the complaints that a test brings about."""

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def ready(self) -> None:
        self.page.wait_for_selector(READY)

    def look(self, when: str = READY) -> tuple[str, int]:
        """Return where the rater stands and which image is seen, once the page is ready."""
        place, number = self.page.evaluate(LOOK, when)
        return place, number

    def seen(self) -> int:
        """Return which image is seen now."""
        return self.look("body")[1]

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def drawn(self) -> None:
        """Wait until what has been changed so far is laid out and drawn."""
        self.page.evaluate(TWO_FRAMES)


@pytest.fixture
def sit_down(open_page: Callable[..., playwright.Page]) -> Iterator[Callable[..., Seat]]:
    """Open an invitation in a browser of its own; complaints of the browser fail the test."""
    seats: list[Seat] = []

    def open_invitation(room: Room, name: str, **context: Any) -> Seat:
        seat = Seat(open_page(**context))
        seats.append(seat)
        seat.page.on("console", lambda message: seat.troubles.append(message.text))
        seat.page.on("pageerror", lambda error: seat.troubles.append(str(error)))
        seat.page.goto(room.links[name])
        return seat

    yield open_invitation
    for seat in seats:
        seat.page.context.close()
    for seat in seats:
        assert not [trouble for trouble in seat.troubles if not (seat.forgiven and seat.forgiven in trouble)]
