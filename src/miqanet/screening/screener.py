"""The Python API of screening: an image, an array or a path in, a verdict out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miqanet.image import MRImage
from miqanet.reading import ReadError, read_file, read_images
from miqanet.reading.checks import UnreadableError, checked
from miqanet.screening.card import Card, default_weights
from miqanet.screening.engine import Engine
from miqanet.screening.pipeline import judge
from miqanet.verdict import Verdict


class Screener:
    """Judges the diagnostic quality of MR images.

    >>> screener = Screener()
    >>> screener.screen("knee.dcm").quality  # doctest: +SKIP
    <Quality.HIGH: 'high'>

    Args:
        weights: folder of weights; the shipped ones by default.
        device: an OpenVINO device.
        threads: processor threads that inference may take; 0 takes all.

    Raises:
        WeightsError: the folder holds no usable weights.
    """

    def __init__(self, weights: str | Path | None = None, device: str = "CPU", threads: int = 0) -> None:
        self._engine = Engine(Path(weights) if weights is not None else default_weights(), device, threads)

    @property
    def card(self) -> Card:
        """Which network judges, and its thresholds."""
        return self._engine.card

    def screen(self, image: MRImage | NDArray[Any] | str | Path) -> Verdict:
        """Judge one image.

        Args:
            image: an MR image; or its intensities, (rows, columns), air dark; or a file with one image.

        Raises:
            ValueError: the array is no image, the file cannot be read, or it holds several images (for which
                there is `screen_all`).
        """
        if isinstance(image, str | Path):
            image = _read_one(image)
        elif isinstance(image, np.ndarray):
            image = _from_array(image)
        (judged,) = judge([image], self._engine)
        if judged.verdict is None:
            raise ValueError(f"this image cannot be judged: {judged.item}")
        return judged.verdict

    def screen_all(
        self,
        paths: str | Path | Iterable[str | Path],
        *,
        modalities: Sequence[str] = ("MR",),
        slice_axis: int | None = None,
        with_patient: bool = False,
    ) -> Iterator[tuple[MRImage | ReadError, Verdict | None]]:
        """Judge all images of files and folders, in a fixed order, streaming.

        Args:
            paths: files, folders (with all below them) and DICOMDIRs.
            modalities: DICOM modalities that are judged rather than skipped.
            slice_axis: axis of a volume along which slices lie; None chooses by spacing.
            with_patient: whether images carry the patient's name and ID.

        Yields:
            (image, verdict), or (why there is none, None).
        """
        if isinstance(paths, str | Path):
            paths = [paths]
        items = read_images(paths, modalities=modalities, slice_axis=slice_axis, with_patient=with_patient)
        for judged in judge(items, self._engine):
            yield judged.item, judged.verdict


def _from_array(pixels: NDArray[Any]) -> MRImage:
    if pixels.ndim != 2 or pixels.size == 0 or pixels.dtype.kind not in "buif":
        raise ValueError(
            f"an image is a real array (rows, columns), not {pixels.dtype} of shape {pixels.shape}"
        )
    try:
        return MRImage(pixels=checked(pixels), path="")
    except UnreadableError as error:
        raise ValueError(f"this image cannot be judged: {error.reason}") from None


def _read_one(path: str | Path) -> MRImage:
    items = read_file(path)
    image = next(items)
    if isinstance(image, ReadError):
        raise ValueError(f"{image.path}: {image.reason}")
    if next(items, None) is not None:
        raise ValueError(f"{path} holds several images: judge them with screen_all")
    return image
