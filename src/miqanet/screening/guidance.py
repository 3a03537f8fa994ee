"""What each artifact looks like and what usually helps, in plain words for people at the scanner.

After Krupa and Bekiesińska-Figatowska, "Artifacts in Magnetic Resonance Imaging", Pol J Radiol 80 (2015)
93-106.
The words are suggestions: which remedy suits is for the people who know patient, question and scanner.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guide:
    """One artifact in plain language."""

    name: str
    appearance: str
    remedy: str


GUIDES: dict[str, Guide] = {
    "motion": Guide(
        "Motion",
        "Edges look doubled or smeared along the phase-encoding direction, as when the patient moves.",
        "Ask the patient to hold still, support the body part, and consider a repeat with a shorter or "
        "motion-robust sequence.",
    ),
    "ghosting": Guide(
        "Ghosting",
        "Fainter copies of the anatomy repeat at regular distances along the phase-encoding direction, as "
        "breathing, flow or an EPI line mismatch make them.",
        "Consider breath-hold or gating, a saturation band over what pulsates, or swapped phase and "
        "frequency directions; for EPI, repeat the reference scan.",
    ),
    "chemical_shift": Guide(
        "Chemical shift",
        "Fat is displaced against water along the readout direction and leaves dark and bright rims at "
        "their border.",
        "Consider a higher receiver bandwidth, fat suppression, or another readout direction.",
    ),
    "metal": Guide(
        "Metal",
        "A signal void with bright, distorted edges, as near an implant, a clip or a dental filling.",
        "Remove what can be removed; consider spin echo instead of gradient echo, a higher bandwidth, "
        "thinner slices or a metal-reducing sequence, within the implant's conditions.",
    ),
    "blur": Guide(
        "Blur",
        "Fine detail and edges are soft, as after signal decay in a long echo train or from slow drift.",
        "Consider a shorter echo train or a finer matrix, and check for movement.",
    ),
    "noise": Guide(
        "Noise",
        "The whole image is grainy: little signal for the noise of coil and patient.",
        "Check that the right coil is connected and placed; consider more averages, thicker slices or a "
        "lower bandwidth.",
    ),
    "zipper": Guide(
        "Zipper",
        "A line of bright and dark dots across the image, as radio interference makes it.",
        "Close the door of the scanner room, remove electronic devices from it, and repeat; if the line "
        "stays, tell service.",
    ),
    "spike": Guide(
        "Spike noise",
        "A regular stripe or herringbone pattern over the whole image, from a few wrong samples in k-space.",
        "Repeat the scan; if the pattern comes back, tell service: loose contacts and static discharge are "
        "usual causes.",
    ),
    "bias_field": Guide(
        "Uneven brightness",
        "Brightness rises and falls smoothly across tissue that should look alike.",
        "Check the coil's position and all its elements; consider the scanner's intensity correction.",
    ),
    "wrap_around": Guide(
        "Wrap-around",
        "Parts of the body beyond the field of view fold over onto the opposite side.",
        "Consider a larger field of view, phase oversampling, swapped phase and frequency directions, or "
        "saturation bands.",
    ),
    "gibbs": Guide(
        "Gibbs ringing",
        "Fine parallel lines run along sharp edges, as a truncated k-space makes them.",
        "Consider a finer matrix in the direction across the lines, or a mild filter.",
    ),
    "low_resolution": Guide(
        "Low resolution",
        "Pixels are too coarse for the anatomy: small structures merge.",
        "Consider a finer matrix or a smaller field of view, and less interpolation.",
    ),
    "epi_distortion": Guide(
        "EPI distortion",
        "The anatomy is stretched, squeezed or piled up along the phase-encoding direction, mostly near air.",
        "Consider a better shim, parallel imaging, a shorter echo spacing, or a correction with reversed "
        "phase encoding.",
    ),
}


def guide(kind: str) -> Guide:
    """Return the guide to an artifact; a kind that a site's own model has added is named, not explained."""
    return GUIDES.get(kind) or Guide(kind.replace("_", " ").capitalize(), "", "")
