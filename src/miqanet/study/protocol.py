"""The protocol: all that raters are asked and shown, as one record that is kept with the votes.

Chen et al. (VCIP 2022, section II) let eight experts judge every image for diagnostic value, in two classes. That
is the default; a graded scale is the five-point scale of ITU-R BT.500-15, whose upper part is high quality.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Self

from miqanet.verdict import Quality

QUESTION = "Is this image of diagnostic quality?"

TAGS = (
    "motion",
    "ghosting",
    "chemical_shift",
    "metal",
    "noise",
    "zipper",
    "wrap_around",
    "blur",
    "bias_field",
    "other",
)

_TAG_KEYS = "1234567890"
_LONGEST_TAG = 40
_GRADE_KEYS = "efgjkmn"
"""Those that the viewer leaves free."""


@dataclass(frozen=True, slots=True)
class Category:
    """One of the answers to the question."""

    value: str
    label: str
    key: str
    grade: int
    """Its place on the scale, the worst least."""

    quality: Quality


@dataclass(frozen=True, slots=True)
class Tag:
    """An artifact that a rater may name."""

    value: str
    label: str
    key: str


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure a rater is."""

    value: int
    label: str


@dataclass(frozen=True, slots=True)
class TrainingImage:
    """An image that is shown before the start, and what is told of it when it was judged."""

    image: int
    """Its number in the database."""

    expected: str
    """The value of a category."""

    text: str


@dataclass(frozen=True, slots=True)
class Protocol:
    """What is asked and shown; a change of anything in it is another version."""

    name: str
    """Of the study."""

    question: str
    categories: tuple[Category, ...]
    tags: tuple[Tag, ...]
    confidence: tuple[Confidence, ...]
    minimum_viewing_ms: int
    per_image: int
    """Raters that judge an image: all of them, or a balanced part."""

    repeats: float
    """Share of a rater's images that come once more."""

    seed: int
    """Of who judges what, and in which order."""

    training: tuple[TrainingImage, ...]

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.question.strip():
            raise ValueError("a study has a name and asks a question")
        if self.per_image < 1:
            raise ValueError("at least one rater judges an image")
        if not 0 <= self.repeats <= 0.5:
            raise ValueError(f"repeats are a share from 0 to 50%, not {self.repeats:.0%}")
        if self.minimum_viewing_ms < 0:
            raise ValueError("the minimum viewing time is not negative")

    @property
    def version(self) -> str:
        """A digest of the whole: what was asked and shown is the same exactly if this is the same."""
        content = json.dumps(self.as_json(), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    @property
    def grades(self) -> dict[str, int]:
        """Categories on the scale, ascending."""
        return {category.value: category.grade for category in self.categories}

    @property
    def high(self) -> dict[str, int]:
        """Categories in two classes: 1 is high quality, 0 low."""
        return {category.value: int(category.quality is Quality.HIGH) for category in self.categories}

    def category(self, value: str) -> Category:
        """Return the category of a value.

        Raises:
            ValueError: there is none.
        """
        for category in self.categories:
            if category.value == value:
                return category
        raise ValueError(f"quality is one of {', '.join(each.value for each in self.categories)}")

    def as_json(self) -> dict[str, Any]:
        """Return plain lists, dictionaries, texts and numbers."""
        content: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return content

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Return the protocol that `as_json` wrote."""
        categories = [each | {"quality": Quality(each["quality"])} for each in content["categories"]]
        records: dict[str, Any] = {
            "categories": tuple(Category(**each) for each in categories),
            "tags": tuple(Tag(**each) for each in content["tags"]),
            "confidence": tuple(Confidence(**each) for each in content["confidence"]),
            "training": tuple(TrainingImage(**each) for each in content["training"]),
        }
        return cls(**(content | records))


LOW_HIGH = (
    Category("low", "Low diagnostic quality", "l", 0, Quality.LOW),
    Category("high", "High diagnostic quality", "h", 1, Quality.HIGH),
)
"""The paper's classes."""

CONFIDENCE = (Confidence(1, "unsure"), Confidence(2, "fairly sure"), Confidence(3, "sure"))


def graded_scale(grades: int) -> tuple[Category, ...]:
    """Return a scale from 1, the worst, to `grades`; its middle and what is above are high quality.

    Raises:
        ValueError: there are fewer than three grades or more than seven.
    """
    if not 3 <= grades <= len(_GRADE_KEYS):
        raise ValueError(f"a graded scale has 3 to {len(_GRADE_KEYS)} grades, not {grades}")
    ends = {1: "1 (worst)", grades: f"{grades} (best)"}
    return tuple(
        Category(
            str(grade),
            ends.get(grade, str(grade)),
            _GRADE_KEYS[grade - 1],
            grade,
            Quality.HIGH if 2 * grade > grades else Quality.LOW,
        )
        for grade in range(1, grades + 1)
    )


def artifact_tags(names: tuple[str, ...]) -> tuple[Tag, ...]:
    """Return tags with a digit each: 1 to 9, then 0.

    Raises:
        ValueError: a name is empty, too long or there twice, or there are more than ten.
    """
    if len(set(names)) < len(names) or not all(0 < len(name) <= _LONGEST_TAG for name in names):
        raise ValueError(f"artifact tags have names of 1 to {_LONGEST_TAG} characters, each another")
    if len(names) > len(_TAG_KEYS):
        raise ValueError(f"there are {len(names)} artifact tags, and only ten digits")
    labels = (name.replace("_", " ").capitalize() for name in names)
    return tuple(Tag(*each) for each in zip(names, labels, _TAG_KEYS, strict=False))
