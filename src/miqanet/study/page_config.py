"""What the rating page is told of the protocol: how to ask, and nothing of the images."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from miqanet.study.protocol import Protocol


def page_config(protocol: Protocol, rater: str) -> dict[str, Any]:
    """Return the configuration of a rater's page."""
    return {
        "question": protocol.question,
        "classes": [
            {"value": each.value, "label": each.label, "key": each.key} for each in protocol.categories
        ],
        "tags": [asdict(tag) for tag in protocol.tags],
        "confidence": [asdict(each) for each in protocol.confidence],
        "minimum_viewing_ms": protocol.minimum_viewing_ms,
        "rater": rater,
        "protocol_version": protocol.version,
    }
