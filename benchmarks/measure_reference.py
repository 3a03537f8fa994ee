"""What do clean images measure? The percentiles of MR's own measures, which a report compares its images with.

    python benchmarks/measure_reference.py CLEAN_FOLDER [--write]

Every subject counts once, whatever the number of its images; a volume gives at most `--slices` slices, evenly spread.
A body part of at least `--subjects` subjects gets figures of its own. `--write` replaces the reference that miqanet
ships; without it the figures are printed only.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from miqanet.database.body_parts import normalize_body_part
from miqanet.database.clean import CleanImage, clean_files, read_clean
from miqanet.database.manifest import read_manifest
from miqanet.features import reference
from miqanet.features.measures import NAMES, measures

COMMAND = "python benchmarks/measure_reference.py CLEAN_FOLDER --write"


@dataclass(frozen=True, eq=False)
class Measured:
    """A clean image, its subject and its measures."""

    body_part: str
    dataset: str
    subject: str
    values: NDArray[np.float64]


def measured_images(folder: Path, slices: int) -> Iterator[Measured]:
    manifest = read_manifest(folder)
    for file in clean_files(folder, manifest)[0]:
        images = [image for image in read_clean(folder, [file], manifest) if isinstance(image, CleanImage)]
        places = np.linspace(0, len(images) - 1, slices).round().astype(int)
        for image in (images[place] for place in np.unique(places) if images):
            yield Measured(
                normalize_body_part(image.body_part), image.dataset, image.subject, measures(image.pixels)
            )


def summary(images: list[Measured]) -> dict[str, object]:
    """Print the percentiles of some images, and return them as JSON holds them."""
    people = [(image.dataset, image.subject) for image in images]
    seen = Counter(people)
    weights = np.array([1 / seen[person] for person in people])
    table = np.array([image.values for image in images])
    print(f"{len(images)} images of {len(seen)} subjects")
    ranges = {}
    for name, values in zip(NAMES, table.T, strict=True):
        limits = astuple(reference.usual_range(values, weights))
        share = float(weights @ ~np.isnan(values) / weights.sum())
        print(f"  {name:20s} {limits[0]:10.4g} {limits[1]:10.4g} {limits[2]:10.4g}  measured in {share:.0%}")
        ranges[name] = [None if np.isnan(limit) else float(f"{limit:.4g}") for limit in limits]
    return {"images": len(images), "subjects": len(seen), "ranges": ranges}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="clean images, and their MANIFEST.csv if there is one")
    parser.add_argument("--slices", type=int, default=10)
    parser.add_argument("--subjects", type=int, default=10)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    images = list(measured_images(options.folder.resolve(), options.slices))
    if not images:
        raise SystemExit(f"no clean image below {options.folder}")
    subjects = Counter(part for part, _, _ in {(i.body_part, i.dataset, i.subject) for i in images})
    print("5th, 50th and 95th percentile\nall body parts: ", end="")
    body_parts = {reference.ALL: summary(images)}
    for body_part, number in subjects.most_common():
        if number >= options.subjects:
            print(f"{body_part}: ", end="")
            body_parts[body_part] = summary([image for image in images if image.body_part == body_part])
    if options.write:
        content = {
            "command": COMMAND,
            "percentiles": [5, 50, 95],
            "datasets": sorted({image.dataset for image in images}),
            "body_parts": body_parts,
        }
        path = Path(reference.__file__).with_name(reference.FILE_NAME)
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
