"""The physics of MR artifacts: what a scanner, a patient or an implant does to an image, one artifact a module."""

from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.bias_field import BiasField
from miqanet.artifacts.chemical_shift import ChemicalShift
from miqanet.artifacts.epi_distortion import EpiDistortion
from miqanet.artifacts.metal import Metal
from miqanet.artifacts.noise import Noise
from miqanet.artifacts.spike import Spike
from miqanet.artifacts.zipper import Zipper

ARTIFACTS: dict[str, type[Artifact]] = {
    artifact.kind: artifact
    for artifact in (
        BiasField,
        ChemicalShift,
        EpiDistortion,
        Metal,
        Noise,
        Spike,
        Zipper,
    )
}
"""Every artifact by its kind, sorted by name."""

KINDS: tuple[str, ...] = tuple(ARTIFACTS)
"""Names of the artifacts in the order of every label vector."""

__all__ = [
    "ARTIFACTS",
    "KINDS",
    "Artifact",
    "BiasField",
    "ChemicalShift",
    "EpiDistortion",
    "Image",
    "Metal",
    "Noise",
    "Spike",
    "Zipper",
]
