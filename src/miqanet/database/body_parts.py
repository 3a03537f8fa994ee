"""Body parts in a few words, out of the free text of files and manifests.

DICOM's Body Part Examined (0018,0015) has hundreds of defined terms and sites write others; strata need few.
"""

from __future__ import annotations

import re

OTHER = "other"
PHANTOM = "phantom"

_WORDS: tuple[tuple[str, str], ...] = (
    (PHANTOM, r"phantom"),
    ("spine", r"spin|lumbar|cervical|thoracic|vertebra|sacrum|myelon|disc\b"),
    ("knee", r"knee|patella|menisc"),
    ("heart", r"heart|cardi|\bcmr\b|coronary"),
    ("breast", r"breast|mamma"),
    ("pelvis", r"pelvi|prostat|uter|bladder|rectum|cervix"),
    ("abdomen", r"abdom|kidney|renal|liver|hepat|pancrea|spleen|mrcp|bowel"),
    ("shoulder", r"shoulder|clavic|rotator"),
    ("hip", r"\bhip"),
    ("foot", r"foot|ankle|\btoe|calcan"),
    ("hand", r"hand|wrist|finger"),
    ("neck", r"neck|thyroid|larynx|carotid"),
    ("chest", r"chest|thorax|lung"),
    ("brain", r"brain|head|skull|cereb|orbit|pituitar|\biac\b"),
)
"""Tried in this order: a "head phantom" is no brain, "cervical spine/neck" a spine, "brain/head" a brain."""

BODY_PARTS: tuple[str, ...] = (*(name for name, _ in _WORDS), OTHER)


def normalize_body_part(text: str) -> str:
    """Return the one of `BODY_PARTS` that free text names; `other` where it names none."""
    lowered = text.lower()
    return next((name for name, words in _WORDS if re.search(words, lowered)), OTHER)
