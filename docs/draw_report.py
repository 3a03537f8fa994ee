"""Draw the picture of a report: numerical phantoms that simulated artifacts spoil, screened, in a browser."""

from __future__ import annotations

import shutil
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image as Picture
from playwright.sync_api import sync_playwright

from miqanet.artifacts import ARTIFACTS, Noise
from miqanet.artifacts.phantom import phantom
from miqanet.screening.card import default_weights
from miqanet.screening.engine import Engine
from miqanet.screening.run import ScreeningRun, Selection

PICTURE = Path(__file__).resolve().parent / "images" / "report.png"

_SHOWN = (
    ("ghosting", 1.0),
    ("metal", 1.0),
    ("zipper", 1.0),
    ("motion", 1.0),
    ("noise", 1.0),
    ("spike", 1.0),
    ("noise", 0.05),
    ("", 0.0),
)
"""Artifact and severity of each phantom."""

_COLORS = 96


def draw(picture: Path = PICTURE, weights: Path | None = None) -> None:
    """Screen the phantoms and write what a browser shows of their report, as a PNG of few colors."""
    with TemporaryDirectory() as folder:
        results = _screen(Path(folder), weights or default_weights())
        with sync_playwright() as engine:
            browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1180, "height": 966}, color_scheme="light")
            page.goto((results / "report.html").as_uri())
            shot = page.screenshot()
            browser.close()
    picture.parent.mkdir(exist_ok=True)
    Picture.open(BytesIO(shot)).convert("RGB").quantize(_COLORS).save(picture, optimize=True)


def _screen(folder: Path, weights: Path) -> Path:
    images, results = folder / "phantoms", folder / "results"
    images.mkdir()
    for number, (kind, severity) in enumerate(_SHOWN):
        image = Noise(snr=50, seed=number).apply(phantom((320, 320), seed=number))
        if kind:
            image = ARTIFACTS[kind].draw(np.random.default_rng(number), image.shape).at(severity).apply(image)
        pixels = np.rint(image * (65535 / image.max())).astype(np.uint16)
        Picture.fromarray(pixels).save(images / f"{number}-{kind or 'clean'}.png")
    run = ScreeningRun(results, Engine(weights), Selection((str(images),)))
    for _ in run.rows():
        pass
    run.finish()
    return results


if __name__ == "__main__":
    draw()
