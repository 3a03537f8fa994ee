"""Draw the pages of the rating room: numerical phantoms that simulated artifacts spoil, in a study, in a browser."""

from __future__ import annotations

import csv
import re
import shutil
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import uvicorn
from PIL import Image as Picture
from playwright.sync_api import APIRequestContext, Browser, Page, ViewportSize, sync_playwright
from typer.testing import CliRunner

from miqanet.artifacts import ARTIFACTS, Noise
from miqanet.artifacts.phantom import phantom
from miqanet.cli import app as commands
from miqanet.database.query import Database
from miqanet.study.app import create_app

PICTURES = Path(__file__).resolve().parent / "images"

_SPOILED = (
    ("ghosting", 1.0),
    ("motion", 1.0),
    ("metal", 1.0),
    ("noise", 1.0),
    ("zipper", 1.0),
    ("wrap_around", 1.0),
    ("motion", 0.3),
    ("ghosting", 0.6),
    ("noise", 0.2),
    ("bias_field", 0.3),
    *[("", 0.0)] * 10,
)
"""Artifact and severity of each phantom; raters are less sure of the milder ones."""

_TRAINING = {
    "ghosting": ("low", "Ghosts of the skull lie over the brain: a small lesion could hide in them."),
    "": ("high", "Fine noise alone hides nothing: borders and small vessels are all seen."),
}
"""Of the first phantom with each of these: what is expected, and why."""

_DONE = (19, 19, 19, 19, 18, 17, 16, 14)
"""Images that each reader has judged when the administrator looks."""

_SHOWN = ("ghosting", 0.6)
"""What is seen on the rating page."""

_VIEWPORT: ViewportSize = {"width": 1366, "height": 768}
_READY = ".room[data-phase=judging][data-loading=false][data-early=false]"


def draw(folder: Path = PICTURES) -> None:
    """Write what a browser shows of the rating, the training and the administrator's page, as PNG of few colors."""
    with TemporaryDirectory() as work, sync_playwright() as engine, _served(Path(work)) as (links, kinds):
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        trainee, rater, *others = [name for name in links if name != "head"]
        shots = {"training-page": _training(browser, links[trainee])}
        shots["rating-page"] = _rating(browser, links[rater], kinds)
        for name, until in zip([trainee, rater, *others], _DONE, strict=True):
            _rate(browser.new_context().request, links[name], kinds, until)
        page = _open(browser, links["head"], "dark")
        page.wait_for_selector("tbody tr")
        shots["admin-page"] = page.screenshot()
        browser.close()
    folder.mkdir(exist_ok=True)
    for name, shot in shots.items():
        # Grays would take all places of a palette: the few colors are to keep theirs.
        picture = Picture.open(BytesIO(shot)).convert("RGB").quantize(method=Picture.Quantize.MAXCOVERAGE)
        picture.save(folder / f"{name}.png", optimize=True)


@contextmanager
def _served(work: Path) -> Iterator[tuple[dict[str, str], dict[bytes, tuple[str, float]]]]:
    """Serve a study of phantoms; yield the invitations, and what spoils an image by its pixels."""
    images, database = work / "phantoms", work / "database"
    images.mkdir()
    kinds = {}
    for number, (kind, severity) in enumerate(_SPOILED):
        image = Noise(snr=90, seed=number).apply(phantom((320, 320), seed=number))
        if kind:
            image = ARTIFACTS[kind].draw(np.random.default_rng(number), image.shape).at(severity).apply(image)
        pixels = np.rint(image * (65535 / image.max())).astype("<u2")
        Picture.fromarray(pixels).save(images / f"{number}.png")
        kinds[pixels.tobytes()] = kind, severity
    _run("database", "import", images, database, "--key", work / "key", "--create-key")
    _write_training(work / "training.csv", database, kinds)
    names = [f"reader-{letter}" for letter in "abcdefgh"]
    (work / "raters.csv").write_text("\n".join([*names, "head,admin"]))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        options = ("--name", "Head phantoms", "--minimum-seconds", "0", "--seed", "1", "--url", url)
        files = ("--raters", work / "raters.csv", "--training", work / "training.csv")
        printed = _run("study", "create", database, *files, *options)
        with Database.open(database) as opened:
            server = uvicorn.Server(uvicorn.Config(create_app(opened), log_level="warning"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                yield dict(re.findall(r"^(\S+) \(.*\): (http\S+)$", printed, re.MULTILINE)), kinds
            finally:
                server.should_exit = True
                thread.join()


def _run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(commands, [str(each) for each in arguments])
    if result.exit_code:
        raise RuntimeError(result.output)
    return result.stdout


def _write_training(file: Path, database: Path, kinds: dict[bytes, tuple[str, float]]) -> None:
    wanted = dict(_TRAINING)
    with file.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("image", "expected", "text"))
        for path in sorted((database / "images").iterdir()):
            kind, severity = kinds[np.asarray(Picture.open(path)).astype("<u2").tobytes()]
            if kind in wanted and severity in (0.0, 1.0):
                table.writerow((f"images/{path.name}", *wanted.pop(kind)))


def _open(browser: Browser, link: str, scheme: Any) -> Page:
    page = browser.new_page(viewport=_VIEWPORT, color_scheme=scheme)
    page.goto(link)
    return page


def _training(browser: Browser, link: str) -> bytes:
    """Judge a training image, and return what is seen then."""
    page = _open(browser, link, "light")
    page.wait_for_selector("#go:visible")
    page.keyboard.press("Enter")
    page.wait_for_selector(_READY)
    page.keyboard.press("l")
    page.wait_for_selector("#feedback:visible")
    page.wait_for_timeout(500)  # the pressed button has its own color by then
    shot = page.screenshot()
    page.close()
    return shot


def _rating(browser: Browser, link: str, kinds: dict[bytes, tuple[str, float]]) -> bytes:
    """Return what is seen before the verdict on an image with ghosts."""
    context = browser.new_context(viewport=_VIEWPORT, color_scheme="dark")
    _rate(context.request, link, kinds, until_kind=_SHOWN)
    page = context.new_page()
    page.goto(link)
    page.wait_for_selector("#go:visible")
    page.keyboard.press("Enter")
    page.wait_for_selector(_READY)
    for key in "2cc":
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    shot = page.screenshot()
    context.close()
    return shot


def _rate(
    session: APIRequestContext,
    link: str,
    kinds: dict[bytes, tuple[str, float]],
    until: int = 100,
    until_kind: tuple[str, float] | None = None,
) -> None:
    """Judge as the page would, until so many images are done, or until one that is spoiled so is the current one."""
    rng = np.random.default_rng(len(link) + until)
    home = link.split("/join/")[0]
    token = re.search('name="csrf" content="([^"]+)"', session.get(link).text())
    headers = {"X-CSRF-Token": token[1] if token else ""}
    work = session.get(f"{home}/api/work").json()
    view = {"level": 30000.0, "width": 60000.0, "zoom": 2.4, "inverted": False, "background_boost": False}
    while work["current"] and (work["training"] or work["done"] < until):
        kind, severity = kinds[session.get(home + work["current"]["pixels"]).body()]
        if not work["training"] and (kind, severity) == until_kind:
            return
        vote = {
            "presentation": work["current"]["presentation"],
            "submission": str(uuid.uuid4()),
            "quality": "low" if rng.normal(severity, 0.2) > 0.4 else "high",
            "tags": [],
            "confidence": None,
            "dwell_ms": int(rng.uniform(4000, 9000)),
            "view": view,
        }
        work = session.post(f"{home}/api/votes", data=vote, headers=headers).json()["work"]
        time.sleep(0.15)  # the server lets nobody ask faster for long


if __name__ == "__main__":
    draw()
