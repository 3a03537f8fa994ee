"""The human frame of a model's figures: how well the raters agree, on the same images.

The labels are the majority of all raters, so a rater's own vote is in them. Fair is to judge everybody, the model
too, by the majority of the *others*: each rater against the majority of the rest, and the model against that same
majority in the rater's place. The best rater sets the ceiling: labels cannot show a model to be better than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from miqanet.consensus import Ratings, agreement_by_item, majority_of_others
from miqanet.database.records import ImageRecord, VoteRecord
from miqanet.evaluation.bootstrap import estimates
from miqanet.evaluation.metrics import Figure, Judged, share

_HIGH, _LOW = 0.0, 1.0

_ENOUGH = 0.5
"""Share of what the busiest rater judged that the best one has judged: who has judged three images is no ceiling."""


def ratings(images: Sequence[ImageRecord], votes: Iterable[VoteRecord]) -> Ratings:
    """Return the votes on these images, in their order, as a table: 1 for low."""
    votes = list(votes)
    rows = {image.image: row for row, image in enumerate(images)}
    raters = sorted({vote.rater for vote in votes})
    columns = {rater: column for column, rater in enumerate(raters)}
    values = np.full((len(images), len(raters)), np.nan)
    for vote in votes:
        if vote.image in rows:
            values[rows[vote.image], columns[vote.rater]] = _LOW if vote.low else _HIGH
    return Ratings.of(values, items=[str(i.image) for i in images], raters=raters, categories=(_HIGH, _LOW))


def human_frame(votes: Ratings, judged: Judged) -> dict[str, Any] | None:
    """Return how raters and model agree on the same images, with subject-level intervals; None without votes.

    `raters` has each rater against the majority of the others, `pairwise` the share of pairs of votes that are
    equal, `best_rater` who agrees best, `ceiling` how well, and `model` the model in the places of all raters.
    """
    yardstick = majority_of_others(votes)
    known = votes.given & ~np.isnan(yardstick)
    if not known.any():
        return None
    called = (judged.probability_low >= 0.5)[:, None]
    figures: dict[str, Figure] = {
        name: partial(share, event=known[:, [r]] & (votes.values == yardstick)[:, [r]], among=known[:, [r]])
        for r, name in enumerate(votes.raters)
    }
    raters = estimates(figures, judged)
    judged_by = dict(zip(votes.raters, known.sum(axis=0).tolist(), strict=True))
    enough = _ENOUGH * max(judged_by.values())
    best = max((name for name in raters if judged_by[name] >= enough), key=lambda name: raters[name].value)
    agreeing = agreement_by_item(votes)
    others = estimates(
        {
            "pairwise": partial(share, event=np.nan_to_num(agreeing), among=np.isfinite(agreeing)),
            "model": partial(share, event=known & (called == (yardstick == _LOW)), among=known),
        },
        judged,
    )
    return {"raters": raters, "best_rater": best, "ceiling": raters[best], **others}
