"""The physics of MR artifacts: what scanner, patient or implant do to an image, one artifact a module."""

from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.bias_field import BiasField
from miqanet.artifacts.blur import Blur
from miqanet.artifacts.chemical_shift import ChemicalShift
from miqanet.artifacts.epi_distortion import EpiDistortion
from miqanet.artifacts.ghosting import Ghosting
from miqanet.artifacts.gibbs import Gibbs
from miqanet.artifacts.low_resolution import LowResolution
from miqanet.artifacts.metal import Metal
from miqanet.artifacts.motion import Motion
from miqanet.artifacts.noise import Noise
from miqanet.artifacts.spike import Spike
from miqanet.artifacts.wrap_around import WrapAround
from miqanet.artifacts.zipper import Zipper

ARTIFACTS: dict[str, type[Artifact]] = {
    artifact.kind: artifact
    for artifact in (
        BiasField,
        Blur,
        ChemicalShift,
        EpiDistortion,
        Ghosting,
        Gibbs,
        LowResolution,
        Metal,
        Motion,
        Noise,
        Spike,
        WrapAround,
        Zipper,
    )
}
"""Every artifact by its kind, sorted by name."""

KINDS: tuple[str, ...] = tuple(ARTIFACTS)
"""Names of the artifacts, in the order of every label vector."""

__all__ = [
    "ARTIFACTS",
    "KINDS",
    "Artifact",
    "BiasField",
    "Blur",
    "ChemicalShift",
    "EpiDistortion",
    "Ghosting",
    "Gibbs",
    "Image",
    "LowResolution",
    "Metal",
    "Motion",
    "Noise",
    "Spike",
    "WrapAround",
    "Zipper",
]
