"""The score that the release of BRISQUE gives: its own regressor, fitted to photographs of the LIVE database.

The release (Mittal, Moorthy & Bovik, 2011) leaves regression to libsvm: Chang & Lin, "LIBSVM: a library for support
vector machines", ACM TIST 2(3), 2011. Its two text files are not part of this package; who has them may name them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

_FEATURES = 36
_EXPECTED = {"svm_type": "epsilon_svr", "kernel_type": "rbf"}


@dataclass(frozen=True, eq=False, slots=True)
class ReleasedBrisque:
    """Ranges of the features, and a support vector regression on the features in these ranges."""

    least: NDArray[np.float64]
    """(36,) values that become `lower`."""

    greatest: NDArray[np.float64]
    """(36,) values that become `upper`."""

    lower: float
    upper: float
    support_vectors: NDArray[np.float64]
    """(N, 36), scaled."""

    coefficients: NDArray[np.float64]
    """(N,) weights of the support vectors."""

    gamma: float
    """Of the kernel exp(-gamma |x - y|^2)."""

    rho: float
    """What is subtracted in the end."""

    @classmethod
    def load(cls, model: str | Path, ranges: str | Path) -> Self:
        """Read `allmodel`, as svm-train writes it, and `allrange`, as svm-scale does.

        Raises:
            ValueError: a file is not of that kind.
            OSError: a file cannot be read.
        """
        try:
            lower, upper, least, greatest = _read_ranges(_lines(ranges))
        except (IndexError, ValueError) as error:
            raise ValueError(f"{ranges} holds no ranges of {_FEATURES} features by svm-scale") from error
        try:
            header, rows = _read_model(_lines(model))
            gamma, rho = float(header["gamma"]), float(header["rho"])
        except (IndexError, KeyError, ValueError) as error:
            raise ValueError(f"{model} holds no model of {_FEATURES} features by svm-train") from error
        if any(header.get(name) != value for name, value in _EXPECTED.items()):
            raise ValueError(f"{model} is no epsilon-SVR with an RBF kernel")
        return cls(least, greatest, lower, upper, rows[:, 1:], rows[:, 0], gamma, rho)

    def score(self, features: ArrayLike) -> float:
        """Return the score of the (36,) features of an image: the higher, the worse; nominally 0 to 100.

        NaN where a feature is.
        """
        values = np.asarray(features, np.float64)
        if values.shape != (_FEATURES,):
            raise ValueError(f"the score needs {_FEATURES} features, not shape {values.shape}")
        scaled = self._scale(values)
        distances = np.square(self.support_vectors - scaled).sum(axis=1)
        return float(self.coefficients @ np.exp(-self.gamma * distances) - self.rho)

    def _scale(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        # The release hands features to libsvm's tools as text: six decimals in, six significant digits out.
        written = np.array([float(f"{value:f}") for value in features])
        span = self.greatest - self.least
        varies = span != 0
        scaled = np.zeros_like(written)
        # svm-scale drops a feature that never varied in training, and does not clip one beyond its range.
        share = (written - self.least)[varies] / span[varies]
        scaled[varies] = self.lower + (self.upper - self.lower) * share
        return np.array([float(f"{value:g}") for value in scaled])


def _lines(path: str | Path) -> list[str]:
    return Path(path).read_text(encoding="ascii").splitlines()


def _read_ranges(lines: list[str]) -> tuple[float, float, NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of the scale, then the least and the greatest value of each feature."""
    if lines[0].strip() != "x":
        raise ValueError("ranges begin with x")
    lower, upper = map(float, lines[1].split())
    ends = np.zeros((_FEATURES, 2))
    for line in lines[2:]:
        number, least, greatest = line.split()
        ends[_place(number)] = float(least), float(greatest)
    return lower, upper, ends[:, 0], ends[:, 1]


def _read_model(lines: list[str]) -> tuple[dict[str, str], NDArray[np.float64]]:
    """Return the header, and a row for each support vector: its coefficient, then its 36 features."""
    start = [line.strip() for line in lines].index("SV")
    header = {line.split()[0]: line.split()[1] for line in lines[:start]}
    rows = np.array([_read_vector(line.split()) for line in lines[start + 1 :]])
    if not len(rows) or len(rows) != int(header["total_sv"]):
        raise ValueError("support vectors are missing")
    return header, rows


def _read_vector(words: Iterable[str]) -> NDArray[np.float64]:
    coefficient, *pairs = words
    row = np.zeros(1 + _FEATURES)
    row[0] = float(coefficient)
    for pair in pairs:
        number, value = pair.split(":")
        row[1 + _place(number)] = float(value)
    return row


def _place(number: str) -> int:
    """Return where the feature of a number, counted from 1, lies."""
    place = int(number) - 1
    if not 0 <= place < _FEATURES:
        raise ValueError(f"feature {number} of {_FEATURES}")
    return place
