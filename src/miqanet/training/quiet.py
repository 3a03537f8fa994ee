"""Lightning without its advertisements and without warnings about what was chosen on purpose."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from lightning.pytorch.strategies import DDPStrategy

_LOGGERS = ("lightning.pytorch", "lightning.fabric")

_EXPECTED = (
    # Resuming writes into the folder that it read from.
    r"Checkpoint directory .* exists and is not empty",
    # How many processes make images is the user's choice, and one may be all that there are processors for.
    r"The '.*' does not have many workers",
    r"Consider setting `persistent_workers=True`",
    # Lightning 2.6 with torch 2.13; nothing that a caller could do differently.
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
)


class QuietDDP(DDPStrategy):
    """Processes that train side by side, as quiet as the one that starts them."""

    def __init__(self) -> None:
        # By pickling rather than by running the command line again: `fit` is a library, too.
        super().__init__(start_method="spawn")

    def setup_environment(self) -> None:
        """Begin in a process that does nothing but train."""
        _silence()
        super().setup_environment()


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Keep from the user what Lightning says of itself; its other warnings and all errors stay."""
    before = {name: logging.getLogger(name).level for name in _LOGGERS}
    try:
        with warnings.catch_warnings():
            _silence()
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _silence() -> None:
    for message in _EXPECTED:
        warnings.filterwarnings("ignore", message)
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
