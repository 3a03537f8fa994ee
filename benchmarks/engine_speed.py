"""How much faster than torch is the engine, and does it judge alike?

    python benchmarks/engine_speed.py [--images 200] [--folder OWN_FILES]     (needs miqanet[train])

The same images, in one run, through the int8 engine that `screen` uses, the same network in OpenVINO at bf16,
and in torch at fp32 (eager, all processors), each at one look. The fp32 network has the weights that are shipped
for fine-tuning, so that agreement tells what quantization changes: the share of images with the same verdict at the
card's threshold.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from miqanet.image import MRImage
from miqanet.preprocessing import prepare
from miqanet.reading import read_images
from miqanet.screening.card import default_weights
from miqanet.screening.engine import Engine
from phantoms import phantoms

Array = NDArray[np.floating]
Judge = Callable[[Array], Array]
"""From prepared images (N, 1, 512, 512) to probabilities of low (N,)."""

_REFERENCE = "torch fp32 eager"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="real images instead of generated ones")
    parser.add_argument("--weights", type=Path, default=default_weights())
    parser.add_argument("--torch-batch", type=int, default=8)
    options = parser.parse_args()

    pictures = phantoms(options.images)
    if options.folder is not None:
        pictures = (item.pixels for item in read_images([options.folder]) if isinstance(item, MRImage))
    images = np.stack([prepare(pixels)[None] for pixels in islice(pictures, options.images)])

    engine = Engine(options.weights)
    engine.card = replace(engine.card, doubt=0)
    in_torch, in_bf16 = _single_precision(engine)
    judges: dict[str, tuple[Judge, int]] = {
        "OpenVINO int8 (the engine)": (_in_engine(engine), len(images)),
        "OpenVINO bf16": (in_bf16, len(images)),
        _REFERENCE: (in_torch, options.torch_batch),
    }
    seconds: dict[str, float] = {}
    probabilities: dict[str, Array] = {}
    for name, (judge, batch) in judges.items():
        judge(images[:batch])  # warm up
        started = time.perf_counter()
        answers = [judge(images[i : i + batch]) for i in range(0, len(images), batch)]
        seconds[name] = time.perf_counter() - started
        probabilities[name] = np.concatenate(answers)

    threshold, reference = engine.card.threshold, probabilities[_REFERENCE]
    low = reference >= threshold
    print(f"{len(images)} images, threshold {threshold:.3f}, {low.mean():.0%} low by {_REFERENCE}")
    for name in judges:
        print(
            f"{name:27s} {seconds[name] / len(images):.4f} s an image, "
            f"{seconds[_REFERENCE] / seconds[name]:5.2f} times as fast as torch, "
            f"same verdict on {np.mean((probabilities[name] >= threshold) == low):.1%}, "
            f"probabilities differ by {np.abs(probabilities[name] - reference).max():.3f} at most"
        )


def _in_engine(engine: Engine) -> Judge:
    def judge(images: Array) -> Array:
        with ThreadPoolExecutor(engine.streams + 1) as pool:
            predictions = pool.map(lambda image: engine.infer(image[None]), images)
            return np.concatenate([prediction.probability_low for prediction in predictions])

    return judge


def _single_precision(engine: Engine) -> tuple[Judge, Judge]:
    """Return the network with the shipped fp16 weights in torch at fp32, and in OpenVINO at bf16."""
    import openvino
    import torch

    from miqanet.training.export import load_network, read_half_precision

    network = load_network(read_half_precision(engine.weights), engine.card.artifact_kinds)

    def judge_in_torch(images: Array) -> Array:
        with torch.inference_mode():
            low = network(torch.from_numpy(images)).quality.softmax(1)[:, 1].numpy()
        return engine.card.scaling.apply(low)

    shape = [1, 1, engine.card.size, engine.card.size]
    model = openvino.convert_model(network, example_input=torch.zeros(shape), input=shape)
    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "bf16"}
    queue = openvino.AsyncInferQueue(openvino.compile_model(model, "CPU", settings))

    def judge_in_bf16(images: Array) -> Array:
        logits = np.empty((len(images), 2), np.float32)

        def store(request: openvino.InferRequest, index: int) -> None:
            logits[index] = request.get_output_tensor(0).data[0]

        queue.set_callback(store)
        for index in range(len(images)):
            queue.start_async({0: images[index : index + 1]}, index)
        queue.wait_all()
        return engine.card.scaling.apply(expit(logits[:, 1] - logits[:, 0]))

    return judge_in_torch, judge_in_bf16


if __name__ == "__main__":
    main()
