"""Who judges which image, and in which order.

Where not everyone judges everything, the assignment is a balanced incomplete block design as near as the numbers
allow (Cochran and Cox, "Experimental Designs", 2nd edition, 1957, chapter 11): images are the blocks, every
image has the same number of raters, raters have equally many images, and every two raters have equally many
images in common, so that any two can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_APART = 50
"""Images after which a radiologist no longer remembers one, if the list is long enough."""


def assign(images: int, raters: int, per_image: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return who judges what, (images, raters).

    Image by image, in random order, those raters are taken who have the fewest images so far, and among these
    those who have the fewest in common with the ones taken already. So no rater ever has two images more than
    another.

    Raises:
        ValueError: there are fewer raters than an image needs.
    """
    if per_image > raters:
        raise ValueError(f"{per_image} raters an image are asked for, but there are {raters}")
    assigned = np.zeros((images, raters), np.bool_)
    loads = np.zeros(raters, np.int64)
    common = np.zeros((raters, raters), np.int64)
    for image in rng.permutation(images):
        taken: list[int] = []
        for _ in range(per_image):
            met = common[taken].sum(axis=0)
            order = np.lexsort((rng.random(raters), met, loads))
            taken.append(next(int(rater) for rater in order if rater not in taken))
        assigned[image, taken] = True
        loads[taken] += 1
        common[np.ix_(taken, taken)] += 1
    return assigned


def showing_order(images: Sequence[int], repeats: float, rng: np.random.Generator) -> list[tuple[int, bool]]:
    """Return a rater's images in random order, and whether each is a repeat.

    Of `images`, a share `repeats` (rounded up) comes once more, with at least 50 other images in between, or
    half the list where that is less. The places of repeats tell nothing: they spread over all that is left.
    """
    count = len(images)
    order = [images[place] for place in rng.permutation(count)]
    apart = min(_APART, count // 2)
    # 7 % of 100 is 7, and a rounding error more in floating point.
    wanted = int(np.ceil(round(repeats * count, 9)))
    repeated = rng.choice(count - apart, size=min(wanted, count - apart), replace=False)
    shown = [(float(place), image, False) for place, image in enumerate(order)]
    shown += [(rng.uniform(place + apart, count), order[place], True) for place in sorted(repeated.tolist())]
    return [(image, repeat) for _, image, repeat in sorted(shown)]
