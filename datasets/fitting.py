"""Fits one small network with scikit-learn and returns it as plain arrays."""

import time
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

Arrays = dict[str, npt.NDArray[Any]]


def fit(
    rows: npt.NDArray[Any],
    classes: npt.NDArray[Any],
    hidden: tuple[int, ...],
    *,
    epochs: int,
    decay: float = 1e-5,
) -> Arrays:
    """Fit a network and return `W0`, `b0`, ..., and the inputs' `mu` and `sd`."""
    started = time.monotonic()
    centre, scale = rows.mean(0), rows.std(0) + 1e-4
    model = MLPClassifier(
        hidden,
        batch_size=min(1024, max(1, len(rows) // 4)),
        learning_rate_init=2e-3,
        max_iter=epochs,
        random_state=0,
        alpha=decay,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # epochs are set on purpose
        model.fit(((rows - centre) / scale).astype(np.float32), classes)
    seconds = time.monotonic() - started
    print(f"  {rows.shape} loss {model.loss_:.3f} in {seconds:.0f} s", flush=True)
    weights, biases = _all_classes(model)
    arrays: Arrays = {"mu": centre.astype(np.float32), "sd": scale.astype(np.float32)}
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        arrays[f"W{i}"], arrays[f"b{i}"] = (
            weight.astype(np.float16),
            bias.astype(np.float32),
        )
    return arrays


def _all_classes(model: Any) -> tuple[list[npt.NDArray[Any]], list[npt.NDArray[Any]]]:
    """Return the layers with one output per class 0..n, also those never seen."""
    weights, biases = list(model.coefs_), list(model.intercepts_)
    last, bias = weights[-1], biases[-1]
    if last.shape[1] == 1:  # two classes: scikit-learn has a single sigmoid output
        weights[-1] = np.concatenate([np.zeros_like(last), last], 1)
        biases[-1] = np.concatenate([np.zeros_like(bias), bias])
        return weights, biases
    count = int(model.classes_.max()) + 1
    weights[-1] = np.zeros((len(last), count))
    biases[-1] = np.full(count, -20.0)
    weights[-1][:, model.classes_], biases[-1][model.classes_] = last, bias
    return weights, biases
