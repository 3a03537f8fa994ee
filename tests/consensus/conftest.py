"""Published examples, whose results the statistics have to reproduce."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from miqanet.consensus import Ratings

NA = np.nan


@pytest.fixture(scope="session")
def four_observers() -> Ratings:
    """Data C of Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011: 4 observers, 12 units.

    Gwet's Handbook of Inter-Rater Reliability (2014) uses them, too; its R package irrCAC calls them
    cac.raw4raters.
    """
    return Ratings.of(
        [
            [1, 1, NA, 1],
            [2, 2, 3, 2],
            [3, 3, 3, 3],
            [3, 3, 3, 3],
            [2, 2, 2, 2],
            [1, 2, 3, 4],
            [4, 4, 4, 4],
            [1, 1, 2, 1],
            [2, 2, 2, 2],
            [NA, 5, 5, 5],
            [NA, NA, 1, 1],
            [NA, NA, 3, NA],
        ],
        raters="ABCD",
    )


@pytest.fixture(scope="session")
def psychiatrists() -> Ratings:
    """Six psychiatrists, 15 patients, 5 diagnoses: distrib.6raters of Gwet's R package irrCAC."""
    return from_counts(
        [
            [0, 0, 0, 6, 0],
            [0, 3, 0, 0, 3],
            [0, 1, 4, 0, 1],
            [0, 0, 0, 0, 6],
            [0, 3, 0, 3, 0],
            [2, 0, 4, 0, 0],
            [0, 0, 4, 0, 2],
            [2, 0, 3, 1, 0],
            [2, 0, 0, 4, 0],
            [0, 0, 0, 0, 6],
            [1, 0, 0, 5, 0],
            [1, 1, 0, 4, 0],
            [0, 3, 3, 0, 0],
            [1, 0, 0, 5, 0],
            [0, 2, 0, 3, 1],
        ]
    )


@pytest.fixture(scope="session")
def abstractors() -> Ratings:
    """Two abstractors of 100 records, 3 diagnoses: cont3x3abstractors of Gwet's R package irrCAC."""
    table = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]
    pairs = [(row, column) for row in range(3) for column in range(3) for _ in range(table[row][column])]
    return Ratings.of(pairs)


@pytest.fixture(scope="session")
def anaesthetists() -> NDArray[np.float64]:
    """Table 1 of Dawid and Skene (1979): 45 patients, 5 anaesthetists, 4 classes, as counts.

    The first anaesthetist read every form three times: the first three digits of a patient.
    """
    patients = (
        "1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 "
        "1111111 2223212 1211111 1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 "
        "1111111 1111111 2322222 1111111 1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343 "
        "2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222"
    )
    counts = np.zeros((45, 5, 4))
    for patient, digits in enumerate(patients.split()):
        for place, digit in enumerate(digits):
            counts[patient, max(place - 2, 0), int(digit) - 1] += 1
    return counts


def from_counts(counts: list[list[int]]) -> Ratings:
    """Return ratings with these counts of categories; which rater gave which does not matter."""
    rows = [np.repeat(np.arange(len(row)), row) for row in counts]
    most = max(map(len, rows))
    return Ratings.of([[*row, *[NA] * (most - len(row))] for row in rows], categories=range(len(counts[0])))
