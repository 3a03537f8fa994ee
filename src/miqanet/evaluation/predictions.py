"""What a method said of a fold's images: one Parquet file a fold, which is there only when the fold is finished."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from miqanet.database.folds import Role
from miqanet.database.png import write_whole
from miqanet.database.records import ImageRecord

_KEY = b"miqanet"


@dataclass(frozen=True, slots=True)
class FoldFacts:
    """How the model of a fold came to be."""

    method: str
    protocol: str
    fold: str
    settings: dict[str, Any]
    """Of the method: folds of one row of a table have the same."""

    minutes: float
    """Spent on fitting."""

    hardware: str
    temperature: float
    bias: float
    """Of `miqanet.screening.scaling`, as the temperature."""

    review_band: tuple[float, float]
    """Calibrated probabilities: below it is high, from its end on low, and a person looks in between."""

    body_parts_seen: tuple[str, ...]
    data_sha256: str
    """Fingerprint of the database."""

    fold_sha256: str
    """Hash of the fold's images and labels."""

    version: str
    """Of miqanet."""

    left_out: dict[str, list[int]] = field(default_factory=dict)
    """By role, the numbers of the fold's images that were not judged: what was learned knew their subjects."""


@dataclass(frozen=True, eq=False, slots=True)
class FoldPredictions:
    """The answers to a fold's validation and test images."""

    facts: FoldFacts
    image: NDArray[np.int64]
    role: NDArray[np.str_]
    low: NDArray[np.bool_]
    """Labels at the time."""

    score: NDArray[np.float64]
    """Probability of low as the method gave it."""

    probability_low: NDArray[np.float64]
    """Calibrated on the validation images; from 1/2 on an image is called low."""

    @property
    def passed(self) -> NDArray[np.bool_]:
        """Whether the image is called high without a person."""
        return self.probability_low < self.facts.review_band[0]

    @property
    def condemned(self) -> NDArray[np.bool_]:
        """Whether the image is called low without a person."""
        return self.probability_low >= self.facts.review_band[1]

    @classmethod
    def of(
        cls,
        facts: FoldFacts,
        validation: Sequence[ImageRecord],
        test: Sequence[ImageRecord],
        score: NDArray[np.float64],
        probability_low: NDArray[np.float64],
    ) -> Self:
        """Return the answers to validation and test images, in this order."""
        images = (*validation, *test)
        return cls(
            facts,
            np.asarray([image.image for image in images], np.int64),
            np.asarray([Role.VALIDATION] * len(validation) + [Role.TEST] * len(test), np.str_),
            np.asarray([image.low for image in images], bool),
            score,
            probability_low,
        )

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        table = pa.table(
            {
                "image": self.image,
                "role": pa.array(self.role.tolist()),
                "label": pa.array(np.where(self.low, "low", "high").tolist()),
                "score": self.score,
                "probability_low": self.probability_low,
                "review": ~(self.passed | self.condemned),
            }
        ).replace_schema_metadata({_KEY: json.dumps(asdict(self.facts)).encode()})
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, buffer.getvalue())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file of a finished fold.

        Raises:
            ValueError: the file is damaged.
        """
        try:
            table = pq.read_table(path)
            facts = json.loads(table.schema.metadata[_KEY])
            lists = {name: tuple(facts[name]) for name in ("review_band", "body_parts_seen")}
            columns = {name: table[name].to_numpy() for name in ("image", "score", "probability_low")}
            return cls(
                FoldFacts(**{**facts, **lists}),
                role=np.asarray(table["role"].to_pylist(), np.str_),
                low=np.asarray(table["label"].to_pylist(), np.str_) == "low",
                **columns,
            )
        except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise ValueError(f"{path} is damaged ({error}); delete it, and its fold is done again") from error
