from __future__ import annotations

import logging
import warnings

import pytest

from miqanet.training.quiet import quiet_lightning


def test_advertisements_are_not_heard_and_warnings_are(caplog):
    logger = logging.getLogger("lightning.pytorch")
    before = logger.level
    with quiet_lightning():
        assert not logger.isEnabledFor(logging.INFO)
        assert logger.isEnabledFor(logging.WARNING)
        assert not logging.getLogger("lightning.fabric.utilities.rank_zero").isEnabledFor(logging.INFO)
    assert logger.level == before
    assert not caplog.records


def test_only_expected_warnings_are_silenced():
    with quiet_lightning():
        warnings.warn("Checkpoint directory /somewhere exists and is not empty.", stacklevel=1)
        warnings.warn("The 'val_dataloader' does not have many workers which may be ...", stacklevel=1)
        with pytest.warns(match="loss is NaN"):
            warnings.warn("loss is NaN", stacklevel=1)


def test_levels_come_back_after_an_error():
    before = logging.getLogger("lightning.fabric").level
    with pytest.raises(KeyError), quiet_lightning():
        raise KeyError
    assert logging.getLogger("lightning.fabric").level == before
