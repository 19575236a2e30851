"""A small fully connected network, read from arrays; everything learned is one of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_TILE = 4096  # rows at a time: the layers' results stay in the cache


@dataclass(frozen=True, slots=True)
class Network:
    """Layers of weights `[in, out]` and biases; rectified in between, softmax at the end."""

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[np.floating]], name: str) -> Network:
        """Build the network `name` from arrays `name_W0`, `name_b0` ... and its scaling.

        Inputs are centred by `name_mu` and scaled by `name_sd`: folded into layer 0.
        """
        depth = sum(key.startswith(f"{name}_W") for key in arrays)
        weights = [arrays[f"{name}_W{i}"].astype(np.float32) for i in range(depth)]
        biases = [arrays[f"{name}_b{i}"].astype(np.float32) for i in range(depth)]
        centre = arrays[f"{name}_mu"].astype(np.float32)
        scale = arrays[f"{name}_sd"].astype(np.float32)
        biases[0] = np.asarray(biases[0] - (centre / scale) @ weights[0], np.float32)
        weights[0] = np.ascontiguousarray(weights[0] / scale[:, None])
        return cls(tuple(weights), tuple(biases))

    def __call__(self, rows: Floats) -> Floats:
        """Return the probability of each class for rows of features `[N, in]`."""
        out = np.empty((len(rows), self.weights[-1].shape[1]), np.float32)
        for start in range(0, len(rows), _TILE):
            out[start : start + _TILE] = self._tile(rows[start : start + _TILE])
        return out

    def _tile(self, values: Floats) -> Floats:
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(
            zip(self.weights, self.biases, strict=True)
        ):
            values = values @ weight + bias
            if layer < last:
                np.maximum(values, 0, out=values)
        values -= values.max(1, keepdims=True)
        np.exp(values, out=values)
        values /= values.sum(1, keepdims=True)
        return values
