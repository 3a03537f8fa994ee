"""What a training run was: enough to resume it, to repeat it and to write its card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from miqanet.database.folds import Role, split_subjects
from miqanet.database.png import write_whole
from miqanet.database.records import SubjectRecord

RUN_FILE = "run.json"

_BEFORE_THERE_WAS_A_CHOICE = {"network": "miqanet", "devices": 1}
"""What runs trained, and on what, that do not say so."""

_LISTS = ("held_out", "trained_on", "validated_on", "body_parts")


@dataclass(frozen=True, slots=True)
class Run:
    """One training run, kept as `run.json` in its folder."""

    settings: dict[str, Any]
    """The fields of `miqanet.training.fit.FitSettings`."""

    data_sha256: str
    """Fingerprint of the database."""

    held_out: tuple[str, ...]
    """Datasets and body parts that training does not see."""

    split_seed: int
    fresh: bool
    """Whether clean slices were spoiled afresh every epoch, or stored images used."""

    started_from: dict[str, Any] | None = None
    """The run whose weights this one began with, or the name of a file `pretrained` on ImageNet."""

    labels_sha256: str = ""
    """Of the database's labels, see `miqanet.database.records.labels_sha256`."""

    trained_on: tuple[str, ...] = ()
    """Names of the subjects that training saw."""

    validated_on: tuple[str, ...] = ()
    """Names of the subjects whose images chose the epoch."""

    body_parts: tuple[str, ...] = ()
    """That training saw."""

    final: bool = False
    """Whether the test subjects were learned from, too, after what it began with had been measured on them."""

    minutes: float = 0.0
    hardware: str = ""

    @property
    def network(self) -> str:
        """Name of the network."""
        return str((_BEFORE_THERE_WAS_A_CHOICE | self.settings)["network"])

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the run of a folder.

        Raises:
            FileNotFoundError: the folder holds no run.
            ValueError: its `run.json` is damaged.
        """
        try:
            return cls.of(json.loads((folder / RUN_FILE).read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{folder} holds no {RUN_FILE}: it is no folder of a training run, nor of weights exported from one"
            ) from None
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"{folder / RUN_FILE} is damaged: {error}") from error

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """Return the run that a `run.json`, or another run's `started_from`, states."""
        lists = {name: tuple(content.get(name, ())) for name in _LISTS}
        return cls(**{**content, **lists})

    def write(self, folder: Path) -> None:
        """Write `run.json`."""
        write_whole(folder / RUN_FILE, (json.dumps(asdict(self), indent=2) + "\n").encode())

    def took(self, minutes: float, hardware: str) -> Self:
        """Return the run with so many minutes more, on this hardware."""
        known = self.hardware.split(", then ") if self.hardware else []
        return replace(
            self,
            minutes=round(self.minutes + minutes, 1),
            hardware=", then ".join([*known, *([hardware] if known[-1:] != [hardware] else [])]),
        )

    def same_as(self, other: Run) -> bool:
        """Whether `other` is this run, whatever time and however many processes either has taken."""
        return self._identity() == other._identity()

    def finishes(self, other: Run) -> bool:
        """Whether this run began with `other`, or with a final run that did: no other recipe lies between."""
        earlier = self.started_from
        if not self.final or not earlier or "settings" not in earlier:
            return False
        began_with = Run.of(earlier)
        return began_with.same_as(other) or began_with.finishes(other)

    def lineage(self) -> list[Self]:
        """Return the runs that this one goes back to, the first one first, and itself.

        Raises:
            ValueError: the first one began with weights of which no run is known.
        """
        if not self.started_from or "pretrained" in self.started_from:
            return [self]
        if "settings" not in self.started_from:
            weights = self.started_from.get("weights")
            raise ValueError(
                f"a run began with the weights {weights}, of which no training subjects are known"
            )
        return [*self.of(self.started_from).lineage(), self]

    def learned_from(self) -> set[str]:
        """Return the names of the subjects that it, or a run that it goes back to, trained on, as far as is known."""
        return self._earlier("trained_on").union(self.trained_on)

    def _earlier(self, names: str) -> set[str]:
        """Return what the runs that this one goes back to say of subjects."""
        found: set[str] = set()
        earlier = self.started_from
        while earlier:
            found.update(earlier.get(names, ()))
            earlier = earlier.get("started_from")
        return found

    def _identity(self) -> str:
        settings = _BEFORE_THERE_WAS_A_CHOICE | self.settings
        settings.pop("workers", None)
        earlier = self.started_from
        if earlier and "settings" in earlier:
            earlier = {"run": self.of(earlier)._identity()}
        same = replace(
            self, settings=settings, started_from=earlier,
            trained_on=(), validated_on=(), body_parts=(), minutes=0.0, hardware="",
        )  # fmt: skip
        return json.dumps(asdict(same), sort_keys=True)

    def roles(self, subjects: list[SubjectRecord], names: Mapping[int, str]) -> dict[int, Role]:
        """Return what each subject's images are used for.

        Whom an earlier run trained on, perhaps out of another database, can neither validate nor test this one, and
        by whom it chose its epoch cannot test it.

        Raises:
            ValueError: an earlier run trained on subjects that this one is to hold out.
        """
        roles = split_subjects(subjects, held_out=self.held_out, seed=self.split_seed)
        if self.final:
            roles = {s: Role.TRAIN if role is Role.TEST else role for s, role in roles.items()}
        seen = self._earlier("trained_on")
        chosen_by = self._earlier("validated_on")
        known = [s for s, role in roles.items() if role is Role.HELD_OUT and names[s] in seen]
        if known:
            raise ValueError(
                f"the run to start from has learned from {len(known)} of the subjects to hold out, such as "
                f"{names[known[0]]}: hold out others, or start from another run"
            )
        for subject, role in roles.items():
            if names[subject] in seen:
                roles[subject] = Role.TRAIN
            elif names[subject] in chosen_by and role is not Role.TRAIN:
                roles[subject] = Role.VALIDATION
        return roles
