"""The methods that the benchmark knows by name, in the order of its tables."""

from __future__ import annotations

from miqanet.networks import NETWORKS

FEATURES = ("brisque", "diivine", "bliinds2", "measures")
CODEBOOKS = {"cornia": 1_000, "cornia-10000": 10_000}
"""CORNIA's numbers of atoms; the release has 10,000, which takes ten times as long."""

METHODS = (*NETWORKS, *FEATURES, *CODEBOOKS)
