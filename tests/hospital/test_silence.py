from __future__ import annotations

import logging

from pynetdicom import _config

from miqanet.hospital.silence import silence


def test_pynetdicom_says_nothing(caplog):
    silence()
    logging.getLogger("pynetdicom.association").critical("Doe^Jane")
    assert caplog.text == ""
    assert _config.LOG_HANDLER_LEVEL == "none"
