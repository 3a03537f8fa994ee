"""Inference: the int8 network in OpenVINO, on the processor, without torch."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from miqanet.screening.card import MODEL_FILE, Card, WeightsError
from miqanet.screening.scaling import Scaling, logits

Array = NDArray[np.float32]

_FIRST_USE = Lock()


class Prediction(NamedTuple):
    """What the network says of N images."""

    probability_low: Array
    """(N,), scaled as the card says."""

    artifact_probabilities: Array
    """(N, kinds), in the order of the card's `artifact_kinds`."""

    activation_map: Array
    """(N, 16, 16), above 0 where it speaks for low."""


class Engine:
    """The compiled network of a weights folder.

    `infer` may be called from several threads at once, and that is how it is fast: on a processor, single
    images side by side, one a stream, beat a batch, because they share no barrier after each layer.
    What the card calls in doubt gets a second look (`miqanet.preprocessing.DOUBT`), and twice the time.

    Args:
        weights: folder with `miqanet.xml`, `miqanet.bin` and `card.json`.
        device: an OpenVINO device.
        threads: processor threads that inference may take; 0 takes all.

    Raises:
        WeightsError: the folder holds no model that OpenVINO can load, or not the one of its card.
    """

    def __init__(self, weights: Path, device: str = "CPU", threads: int = 0) -> None:
        self.weights = weights
        self.card = Card.read(weights)
        openvino = _import_openvino()
        model_file = weights / MODEL_FILE
        if not model_file.exists():
            raise WeightsError(f"no network at {model_file}")
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "THROUGHPUT"}
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        try:
            core = openvino.Core()
            model = core.read_model(model_file)
            # A fixed shape lets the compiler choose layouts and memory once; a batch is many single images.
            model.reshape({"image": [1, 1, self.card.size, self.card.size]})
            self._compiled = core.compile_model(model, device, settings)
            self._outputs = [
                self._compiled.output(name) for name in ("probabilities", "artifacts", "activation_map")
            ]
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise WeightsError(f"OpenVINO cannot load {model_file} on {device}: {reason}") from error
        kinds = self._outputs[1].shape[1]
        if kinds != len(self.card.artifact_kinds):
            raise WeightsError(
                f"{model_file} names {kinds} artifacts, its card {len(self.card.artifact_kinds)}"
            )
        self.streams = int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        """How many images the device works on side by side."""
        self._idle: SimpleQueue[Any] = SimpleQueue()
        # OpenVINO's Python bindings fill tables of types at their first use, and two threads that both come
        # first wait for each other for ever (one has the interpreter's lock, the other the table's).
        with _FIRST_USE:
            self.infer(np.zeros((1, 1, self.card.size, self.card.size), np.float32))

    def infer(self, batch: Array) -> Prediction:
        """Judge prepared images, (N, 1, size, size) in 0..1."""
        if batch.ndim != 4 or batch.shape[1:] != (1, self.card.size, self.card.size):
            raise ValueError(
                f"the engine takes (N, 1, {self.card.size}, {self.card.size}), not {batch.shape}"
            )
        shapes = [port.shape[1:] for port in self._outputs]
        probabilities, artifacts, activation_map = (
            np.empty((len(batch), *shape), np.float32) for shape in shapes
        )
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self._compiled.create_infer_request()
        for index, image in enumerate(batch):
            probabilities[index], artifacts[index], activation_map[index] = self._look(request, image)
            logit = logits(probabilities[index, 1])
            if abs(logit) < self.card.doubt:
                quality, named, glow = self._look(request, image[:, ::-1, ::-1])
                probabilities[index, 1] = expit((logit + logits(quality[1])) / 2)
                artifacts[index] = (artifacts[index] + named) / 2
                # Its mean is the logit without the bias, still.
                activation_map[index] = (activation_map[index] + glow[::-1, ::-1]) / 2
        self._idle.put(request)
        low = probabilities[:, 1]
        if self.card.scaling != Scaling():
            low = self.card.scaling.apply(low).astype(np.float32)
        return Prediction(low, artifacts, activation_map)

    def _look(self, request: Any, image: Array) -> list[Array]:
        request.get_input_tensor().data[0] = image
        request.infer()
        return [request.get_tensor(port).data[0] for port in self._outputs]


def _import_openvino() -> Any:
    """Import OpenVINO without its telemetry.

    `import openvino` by itself reports to Google Analytics and writes an identifier into the home directory,
    and no setting of the package prevents it. Where `openvino_telemetry` cannot be imported it uses a stub
    instead (NNCF as well), so that package is barred for this process.
    """
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None bars an import
    return importlib.import_module("openvino")
