"""MR contrasts in a few words, out of the free text of series descriptions.

A description is free text, in which names turn up, and is removed on import; one of these words is kept of it.
"""

from __future__ import annotations

import re

_WORDS: tuple[tuple[str, str], ...] = (
    ("scout", r"localizer|localiser|scout|survey"),
    ("ADC", r"\badc\b|apparent diff"),
    ("DWI", r"dwi|\bdti\b|diffusion|trace|b value|\bb ?\d{3,4}\b"),
    ("SWI", r"\bswi|suscept|swan|venobold"),
    ("MRA", r"\bmra\b|angio|\btof\b"),
    ("perfusion", r"perf|\bdsc\b|\bdce\b|\basl\b"),
    ("BOLD", r"bold|fmri|resting"),
    ("FLAIR", r"flair|dark ?fluid"),
    ("STIR", r"stir|tirm"),
    ("cine", r"cine|trufi|ssfp|fiesta"),
    ("T2*w", r"t2 ?(\*|star)|\bgre\b|medic|\bmerge"),
    ("PDw", r"\bpd|proton ?dens"),
    ("T1w", r"t1|mprage|mp2rage|\bbravo|spgr|vibe|\blava"),
    ("T2w", r"t2|haste|space|ssfse|mrcp"),
)
"""Tried in this order: "t2_flair" is a FLAIR, "pd_t2" a PD image."""


def normalize_contrast(text: str) -> str:
    """Return the contrast that free text names, empty where it names none."""
    lowered = re.sub(r"[_-]", " ", text.lower())
    return next((name for name, words in _WORDS if re.search(words, lowered)), "")
