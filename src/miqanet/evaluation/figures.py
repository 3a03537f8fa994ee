"""The benchmark's curves as SVG, to stand in a page: text in the page's own color, legible on light and on dark."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, roc_curve

from miqanet.evaluation.metrics import CALIBRATION_BINS, Judged

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK = "#010203"
"""Stands for the page's color of text until the drawing is done."""

_LINES = (
    "#1b9e9e", "#d95f02", "#8d86d9", "#e7298a", "#66a61e",
    "#c99700", "#a6761d", "#888888", "#4a90d9", "#d0605e",
)  # fmt: skip
"""One a method; each stands out from white and from near black."""

_STYLES: list[dict[str, Any]] = [
    {"color": color, "linestyle": style} for style in ("-", "--") for color in _LINES
]
"""Of the curves: once all colors are used, they come again, dashed."""

_SIZE_IN = (3.8, 4.2)


def roc(judged: Mapping[str, Judged]) -> str:
    """Return ROC curves, one a method."""
    figure, axes = _canvas("high called low", "low called low")
    axes.plot([0, 1], [0, 1], color=_INK, linewidth=0.6, linestyle=":")
    for (name, each), style in zip(judged.items(), cycle(_STYLES), strict=False):
        if len(np.unique(each.low)) < 2:
            continue  # Of one class there is no such curve.
        false, found, _ = roc_curve(each.low, each.probability_low)
        axes.plot(false, found, **style, label=name)
    return _svg(_named(figure))


def risk_coverage(judged: Mapping[str, Judged], *, of_low: bool) -> str:
    """Return what share of a class errs while so much of it is decided, the surest first; a curve a method."""
    figure, axes = _canvas(f"share of {'low' if of_low else 'high'} images decided", "errors among them")
    for (name, each), style in zip(judged.items(), cycle(_STYLES), strict=False):
        of_class = each.low == of_low
        probability = each.probability_low[of_class]
        unsure, wrong = -np.abs(probability - 0.5), (probability >= 0.5) != of_low
        order = np.argsort(unsure, kind="stable")
        # What is as sure is decided together.
        number = 1 + np.flatnonzero(np.diff(unsure[order], append=np.nan) != 0)
        errors = np.cumsum(wrong[order])[number - 1]
        axes.plot(number / max(1, len(order)), errors / number, **style, label=name)
    axes.set_ylim(bottom=0)
    return _svg(_named(figure))


def reliability(judged: Mapping[str, Judged]) -> str:
    """Return the share of low images over their mean probability, in bins of equal mass; a curve a method."""
    figure, axes = _canvas("mean probability of low", "share of low images")
    axes.plot([0, 1], [0, 1], color=_INK, linewidth=0.6, linestyle=":")
    for (name, each), style in zip(judged.items(), cycle(_STYLES), strict=False):
        bins = np.array_split(np.argsort(each.probability_low, kind="stable"), CALIBRATION_BINS)
        points = [(each.probability_low[b].mean(), each.low[b].mean()) for b in bins if b.size]
        axes.plot(*zip(*points, strict=True), **style, marker="o", markersize=3, label=name)
    return _svg(_named(figure))


def confusion(judged: Judged) -> str:
    """Return labels by verdicts of one method: numbers of images, shaded by their share of the label."""
    counts: NDArray[np.int64] = confusion_matrix(
        judged.low, judged.probability_low >= 0.5, labels=[True, False]
    )
    figure, axes = _canvas("verdict", "label", size=(2.6, 2.4))
    shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
    for row in range(2):
        for column in range(2):
            color = _LINES[0] if row == column else _LINES[1]
            axes.add_patch(_square(column - 0.5, row - 0.5, color, 0.6 * float(shares[row, column])))
            axes.text(
                column, row, f"{counts[row, column]}", color=_INK, ha="center", va="center", fontsize=12
            )
    axes.set(xlim=(-0.5, 1.5), ylim=(1.5, -0.5), xticks=[0, 1], yticks=[0, 1])
    axes.set_xticklabels(["low", "high"])
    axes.set_yticklabels(["low", "high"])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    return _svg(figure)


def _square(left: float, top: float, color: str, opacity: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((left, top), 1, 1, facecolor=color, alpha=opacity, linewidth=0)


def _canvas(x: str, y: str, size: tuple[float, float] = _SIZE_IN) -> tuple[Figure, Axes]:
    # Without pyplot: no window system, no figures that stay in memory.
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x, color=_INK)
    axes.set_ylabel(y, color=_INK)
    axes.set_facecolor("none")
    axes.tick_params(colors=_INK, labelsize=9)
    axes.grid(color=_INK, alpha=0.15, linewidth=0.6)
    for side, spine in axes.spines.items():
        spine.set(color=_INK, alpha=0.4, visible=side in ("left", "bottom"))
    return figure, axes


def _named(figure: Figure) -> Figure:
    """Name the curves below the axes, where a dozen of names hide none of them."""
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8, labelcolor=_INK)
    return figure


def _svg(figure: Figure) -> str:
    from matplotlib import rc_context

    stream = io.StringIO()
    # A fixed salt and no date: the same figures give the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "miqanet"}):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawing = stream.getvalue()
    drawing = drawing[drawing.index("<svg") :].replace(_INK, "currentColor")
    # The page sets the width, and has several drawings whose parts would have the same names.
    drawing = re.sub(r'<svg ([^>]*?)width="[^"]*" ?([^>]*?)height="[^"]*"', r"<svg \1\2", drawing, count=1)
    drawing = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", drawing, flags=re.DOTALL)
    return re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", drawing)
