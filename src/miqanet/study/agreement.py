"""All that is said of how well raters agree: every statistic with its interval, and the labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miqanet.consensus import (
    DawidSkene,
    Estimate,
    Labels,
    Ratings,
    against_others,
    biases,
    ceiling,
    cohen_kappas,
    dawid_skene,
    estimates,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    leave_one_out,
    majority,
    mean_cohen_kappa,
    pairwise_agreement,
    percent_agreement,
    rater_weights,
)
from miqanet.consensus.pairs import upper

_RESAMPLES_A_FIT = 5
"""Dawid-Skene gets a fifth of the resamples: each of them is a fit."""

_OVERALL: dict[str, Callable[[Ratings], float]] = {
    "percent_agreement": percent_agreement,
    "fleiss_kappa": fleiss_kappa,
    "mean_cohen_kappa": mean_cohen_kappa,
    "krippendorff_alpha_nominal": krippendorff_alpha,
    "krippendorff_alpha_ordinal": lambda ratings: krippendorff_alpha(ratings, "ordinal"),
    "krippendorff_alpha_interval": lambda ratings: krippendorff_alpha(ratings, "interval"),
    "gwet_ac1": gwet_ac1,
    "ceiling": ceiling,
}
_LEFT_OUT = ("percent_agreement", "fleiss_kappa", "krippendorff_alpha_ordinal", "gwet_ac1")

Vector = Callable[[Ratings], NDArray[np.float64]]


@dataclass(frozen=True, eq=False, slots=True)
class AgreementReport:
    """The statistics of a set of ratings, and the labels that follow from them."""

    ratings: Ratings
    figures: dict[str, dict[str, Estimate]]
    """Section, name, figure: `figures["overall"]["fleiss_kappa"]`."""

    labels: Labels
    model: DawidSkene
    resamples: int

    def as_json(self) -> dict[str, Any]:
        """Return plain dictionaries, lists, texts and numbers; None where a figure is not defined."""
        raters = self.ratings.raters
        content = {
            "items": len(self.ratings),
            "raters": list(raters),
            "categories": list(self.ratings.categories),
            "ratings": int(self.ratings.given.sum()),
            "missing": int((~self.ratings.given).sum()),
            "interval": f"95 %, percentile bootstrap over items, {self.resamples} resamples "
            f"({_fits(self.resamples)} for dawid_skene)",
            **{
                section: {name: asdict(figure) for name, figure in figures.items()}
                for section, figures in self.figures.items()
            },
            "dawid_skene_fit": {
                "log_likelihood": self.model.log_likelihood,
                "iterations": self.model.iterations,
                "converged": self.model.converged,
            },
            "to_adjudicate": list(self.labels.to_adjudicate),
            "labels": [
                {"item": item, "label": value, "tied": tied, "fractions": fractions, "posterior": posterior}
                for item, value, tied, fractions, posterior in zip(
                    self.labels.items,
                    self.labels.values.tolist(),
                    self.labels.tied.tolist(),
                    self.labels.fractions.tolist(),
                    self.model.posterior.tolist(),
                    strict=True,
                )
            ],
        }
        defined: dict[str, Any] = _without_nan(content)
        return defined


def steps(resamples: int) -> int:
    """Return how often `assess_agreement` ticks."""
    return resamples + _fits(resamples)


def assess_agreement(
    ratings: Ratings, *, resamples: int = 1000, tick: Callable[[], None] = lambda: None
) -> AgreementReport:
    """Compute every statistic of a set of ratings; `tick` is called `steps(resamples)` times on the way.

    Raises:
        ValueError: there are no ratings.
    """
    if not ratings.given.any():
        raise ValueError("nothing has been rated yet")
    model = dawid_skene(ratings.one_hot)
    # Items that nobody rated say nothing of agreement, and would thin out the resamples.
    rated = ratings.take(np.flatnonzero(ratings.given.any(axis=1)))
    sections = _sections(ratings)
    figures = _estimated(
        {section: names for section, (names, _) in sections.items()},
        lambda drawn: np.concatenate([statistic(drawn) for _, statistic in sections.values()]),
        rated,
        resamples,
        tick,
    )
    figures |= _estimated(
        _model_names(ratings),
        lambda drawn: _model_figures(dawid_skene(drawn.one_hot)),
        rated,
        _fits(resamples),
        tick,
    )
    return AgreementReport(ratings, figures, majority(ratings), model, resamples)


def _fits(resamples: int) -> int:
    return -(-resamples // _RESAMPLES_A_FIT)


def _estimated(
    layout: dict[str, Sequence[str]],
    statistics: Vector,
    ratings: Ratings,
    resamples: int,
    tick: Callable[[], None],
) -> dict[str, dict[str, Estimate]]:
    """Return estimates by section and name; `statistics` returns them in the order of the layout."""
    following = iter(estimates(statistics, ratings, resamples=resamples, tick=tick))
    return {section: {name: next(following) for name in names} for section, names in layout.items()}


def _sections(ratings: Ratings) -> dict[str, tuple[Sequence[str], Vector]]:
    """Return the names and the statistic of each section but Dawid-Skene's."""
    raters = ratings.raters
    pairs = [f"{first}, {second}" for first, second in combinations(raters, 2)]
    sections: dict[str, tuple[Sequence[str], Vector]] = {
        "overall": (
            tuple(_OVERALL),
            lambda drawn: np.array([statistic(drawn) for statistic in _OVERALL.values()]),
        ),
        "pair_agreement": (pairs, lambda drawn: upper(pairwise_agreement(drawn))),
        "pair_cohen_kappa": (pairs, lambda drawn: upper(cohen_kappas(drawn))),
        "against_majority_of_others": (raters, against_others),
        "bias": (raters, biases),
        "weight": (raters, rater_weights),
    }
    if len(raters) > 2:
        for name in _LEFT_OUT:
            sections[f"{name}_without"] = (raters, partial(leave_one_out, _OVERALL[name]))
    return sections


def _model_names(ratings: Ratings) -> dict[str, Sequence[str]]:
    categories = [f"{category:g}" for category in ratings.categories]
    return {
        "dawid_skene_prevalence": categories,
        "dawid_skene_accuracy": ratings.raters,
        "dawid_skene_confusion": [
            f"{rater}: {truth} called {answer}"
            for rater in ratings.raters
            for truth in categories
            for answer in categories
        ],
    }


def _model_figures(model: DawidSkene) -> NDArray[np.float64]:
    return np.concatenate([model.prevalence, model.accuracy, model.confusion.ravel()])


def _without_nan(content: Any) -> Any:
    """Return the same with None for NaN, which JSON does not know."""
    if isinstance(content, dict):
        return {name: _without_nan(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and math.isnan(content) else content
