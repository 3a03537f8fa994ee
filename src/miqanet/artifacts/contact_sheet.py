"""Contact sheets: an artifact over draws and severities at one glance, to judge its physics by eye."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from miqanet.artifacts import ARTIFACTS
from miqanet.artifacts.base import Artifact, Image
from miqanet.preprocessing import prepare

SEVERITIES = (0.0, 0.1, 0.25, 0.5, 1.0)
SEEDS = (0, 1, 2, 3)

_CAPTION, _GAP = 16, 2


def contact_sheet(
    artifact: str | type[Artifact],
    image: Image,
    severities: Sequence[float] = SEVERITIES,
    seeds: Sequence[int] = SEEDS,
    cell: int = 128,
) -> NDArray[np.uint8]:
    """Return a gray picture: a row for each seed's draw, a column for each severity, captions above.

    Every cell is scaled as the network would see it, so that brightness that an artifact takes from the rest
    of the image is missing here, too. There are 64 gray levels, which look like 256 and make smaller files.
    """
    made = ARTIFACTS[artifact] if isinstance(artifact, str) else artifact
    step = cell + _GAP
    sheet = Picture.new("L", (step * len(severities) - _GAP, _CAPTION + step * len(seeds) - _GAP), 255)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for column, severity in enumerate(severities):
        caption = f"severity {severity:g}" if column else f"{made.kind.replace('_', ' ')}: {severity:g}"
        pen.text((step * column + 2, 1), caption, fill=0, font=font)
    for row, seed in enumerate(seeds):
        drawn = made.draw(np.random.default_rng(seed), (image.shape[0], image.shape[1]))
        for column, severity in enumerate(severities):
            # The network sees square roots of intensities; a reader is used to the intensities.
            spoiled = np.square(prepare(drawn.at(severity).apply(image), cell))
            picture = Picture.fromarray(np.rint(spoiled * 63).astype(np.uint8) * 4)
            sheet.paste(picture, (step * column, _CAPTION + step * row))
    return np.asarray(sheet)
