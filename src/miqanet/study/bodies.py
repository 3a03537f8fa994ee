"""What the page of a rater sends."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from miqanet.study.protocol import Protocol
from miqanet.study.readings import Judgement

_DAY_MS = 24 * 60 * 60 * 1000
_Name = Annotated[str, Field(max_length=64)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class ViewBody(BaseModel):
    """The viewer's settings when the verdict was given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: _Finite
    """Middle of the window, in pixel values."""
    width: _Finite
    """Of the window, in pixel values."""
    zoom: _Finite
    """Screen pixels an image pixel."""
    inverted: bool
    background_boost: bool


class VoteBody(BaseModel):
    """A verdict."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    presentation: int = Field(ge=1, lt=2**31)
    submission: UUID
    quality: _Name
    tags: list[_Name] = Field(max_length=10)
    confidence: int | None = Field(ge=0, le=100)
    dwell_ms: int = Field(ge=0, le=_DAY_MS)
    view: ViewBody

    def judgement(self, protocol: Protocol) -> Judgement:
        """Return what is said, as the protocol allows it.

        Raises:
            ValueError: the protocol does not know an answer, or it came too soon.
        """
        category = protocol.category(self.quality)
        known = {tag.value for tag in protocol.tags}
        if len(set(self.tags)) < len(self.tags) or not known.issuperset(self.tags):
            raise ValueError("tags are some of the protocol's, each once")
        if self.confidence not in (None, *(each.value for each in protocol.confidence)):
            raise ValueError("confidence is one of the protocol's")
        if self.dwell_ms < protocol.minimum_viewing_ms:
            raise ValueError(f"look at the image for {protocol.minimum_viewing_ms / 1000:g} s at least")
        return Judgement(
            self.presentation,
            str(self.submission),
            category.value,
            tuple(self.tags),
            self.confidence,
            self.dwell_ms,
            self.view.model_dump(),
        )
