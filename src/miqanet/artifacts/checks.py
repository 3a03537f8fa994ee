"""Checks that the parameters of artifacts share, so that a wrong one is named before it spoils an image."""

from __future__ import annotations

import math


def positive(**values: float) -> None:
    """Raise ValueError, with its name, for a value that is not a finite number above 0."""
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} is a number above 0, not {value}")


def not_negative(**values: float) -> None:
    """Raise ValueError, with its name, for a value that is not a finite number of at least 0."""
    for name, value in values.items():
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{name} is a number of at least 0, not {value}")


def fraction(**values: float) -> None:
    """Raise ValueError, with its name, for a value outside 0..1."""
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name} is a fraction from 0 to 1, not {value}")


def one_of(choices: tuple[object, ...], **values: object) -> None:
    """Raise ValueError, with its name, for a value that is none of the choices."""
    for name, value in values.items():
        if value not in choices:
            raise ValueError(f"{name} is one of {', '.join(map(repr, choices))}, not {value!r}")
