"""The methods that the benchmark knows by name, in the order of its tables."""

from __future__ import annotations

from miqanet.networks import NETWORKS

FEATURES = ("brisque", "diivine", "bliinds2", "measures")
CODEBOOKS = {"cornia": 1_000, "cornia-10000": 10_000}
"""CORNIA's numbers of atoms; the release has 10,000, which takes ten times as long."""

METHODS = (*NETWORKS, *FEATURES, *CODEBOOKS)
"""That learn in each fold; the tables say of each whether it was run."""

RUNS = {name: f"{name}-run" for name in NETWORKS}
"""Rows of networks that `miqanet train` has trained, by network: not on the terms of the other rows."""

ROWS = (*RUNS.values(), *METHODS)
"""Of the tables, in their order."""
