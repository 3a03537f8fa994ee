"""The model card as a program reads it: which network this is and where its probabilities become verdicts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from miqanet.screening.scaling import Scaling
from miqanet.verdict import Finding, Quality, Verdict

MODEL_FILE = "miqanet.xml"
CARD_FILE = "card.json"

_SURE = 0.9
"""Probability from which an artifact is named although the image is of high quality."""


class WeightsError(ValueError):
    """A weights folder is missing something or contradicts itself."""


def default_weights() -> Path:
    """Return the folder of the weights that miqanet ships."""
    return Path(str(resources.files("miqanet"))) / "weights"


@dataclass(frozen=True, slots=True)
class Card:
    """What judging needs of a model card (`card.json` beside the weights)."""

    name: str
    version: str
    size: int
    """Side of the network's input in pixels."""

    artifact_kinds: tuple[str, ...]
    """Kinds of artifact in the order of the network's second output."""

    threshold: float
    """Probability of low from which an image is called low."""

    review_band: tuple[float, float]
    """Abstain band: from its beginning, and up to its end, a person should look."""

    artifact_thresholds: dict[str, float]
    """Probability from which an artifact is named, one a kind."""

    scaling: Scaling = field(default_factory=Scaling)
    """What is done to the logit of low, by the card's `temperature` and `bias`."""

    doubt: float = 0.0
    """An image whose logit of low, before scaling, is nearer to 0 than this is judged once more, turned by half."""

    @classmethod
    def read(cls, weights: Path) -> Self:
        """Read the card of a weights folder.

        Raises:
            WeightsError: the folder has no card, or one that is damaged or incomplete.
        """
        path = weights / CARD_FILE
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            low, high = (float(limit) for limit in content["review_band"])
            kinds = tuple(str(kind) for kind in content["artifact_kinds"])
            return cls(
                name=str(content["name"]),
                version=str(content["version"]),
                size=int(content["size"]),
                artifact_kinds=kinds,
                threshold=float(content["threshold"]),
                review_band=(low, high),
                artifact_thresholds={kind: float(content["artifact_thresholds"][kind]) for kind in kinds},
                scaling=Scaling(float(content.get("temperature", 1)), float(content.get("bias", 0))),
                doubt=float(content.get("doubt", 0)),
            )
        except FileNotFoundError:
            raise WeightsError(
                f"no model card at {path}: a weights folder holds {MODEL_FILE} and {CARD_FILE}"
            ) from None
        except (KeyError, TypeError, ValueError, OSError) as error:
            raise WeightsError(
                f"cannot use the model card {path}: {type(error).__name__}: {error}"
            ) from error

    @property
    def model_version(self) -> str:
        """Name and version, as every verdict carries them."""
        return f"{self.name} {self.version}"

    def verdict(
        self,
        probability_low: float,
        artifact_probabilities: NDArray[np.float32],
        heat_map: NDArray[np.float32] | None = None,
    ) -> Verdict:
        """Turn the network's answer into a verdict.

        Findings explain what speaks against an image. An artifact is named from its own threshold on where
        the image is low or in the review band; a plainly high image has it named only where the network is
        very sure (0.9): a mild artifact does not make it unusable, and a doubtful one would only distract.

        Args:
            probability_low: of low quality, 0..1.
            artifact_probabilities: (kinds,), in the order of `artifact_kinds`.
            heat_map: (16, 16) class activation map, passed on.
        """
        # What is written is what was compared: no `high` beside a 0.5 that was 0.4999999 before.
        probability_low = round(float(probability_low), 6)
        quality = Quality.LOW if probability_low >= self.threshold else Quality.HIGH
        least, greatest = self.review_band
        review = least <= probability_low < greatest
        floor = 0.0 if review or quality is Quality.LOW else _SURE
        findings = [
            Finding(kind, float(probability))
            for kind, probability in zip(self.artifact_kinds, artifact_probabilities, strict=True)
            if probability >= max(floor, self.artifact_thresholds[kind])
        ]
        findings.sort(key=lambda finding: -finding.probability)
        return Verdict(
            quality=quality,
            probability_low=probability_low,
            review=review,
            findings=tuple(findings),
            model_version=self.model_version,
            threshold=self.threshold,
            heat_map=heat_map,
        )
