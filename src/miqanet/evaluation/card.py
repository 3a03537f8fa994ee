"""The model card: `card.json` for programs, `README.md` for people, both from the same figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

INTENDED_USE = (
    "Research. Screening of magnetic resonance images for low diagnostic quality, with a person deciding. Not a "
    "medical device: no hospital has validated the verdicts."
)


def write_card(card: dict[str, Any], folder: Path) -> None:
    """Write `card.json`, and `README.md` once the card says how the network was trained and what was measured."""
    card = {**card, "intended_use": INTENDED_USE}
    (folder / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    if "training" in card and ("metrics" in card or "calibration" in card):
        templates = Environment(
            loader=PackageLoader("miqanet.evaluation"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701  # Markdown, from figures of our own
        )
        (folder / "README.md").write_text(templates.get_template("card.md.j2").render(card), encoding="utf-8")
