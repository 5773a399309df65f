"""The 27 nonlinear regressions of NIST's Statistical Reference Datasets, with certified values.

Data, starts and certified values are NIST's own files (www.itl.nist.gov/div898/strd, public domain), gathered in
`data/nist_strd.json`; the models are written here from the formulas in their headers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import numpy as np


def _gauss(x, b):
    hump = b[2] * jnp.exp(-((x - b[3]) ** 2) / b[4] ** 2) + b[5] * jnp.exp(-((x - b[6]) ** 2) / b[7] ** 2)
    return b[0] * jnp.exp(-b[1] * x) + hump


def _lanczos(x, b):
    return b[0] * jnp.exp(-b[1] * x) + b[2] * jnp.exp(-b[3] * x) + b[4] * jnp.exp(-b[5] * x)


def _cubics(x, b):
    return (b[0] + b[1] * x + b[2] * x**2 + b[3] * x**3) / (1 + b[4] * x + b[5] * x**2 + b[6] * x**3)


def _enso(x, b):
    def wave(a, c, period):
        return a * jnp.cos(2 * jnp.pi * x / period) + c * jnp.sin(2 * jnp.pi * x / period)

    return b[0] + wave(b[1], b[2], 12) + wave(b[4], b[5], b[3]) + wave(b[7], b[8], b[6])


def _decay(x, b):
    return jnp.exp(-b[0] * x) / (b[1] + b[2] * x)


MODELS = {
    "Bennett5": lambda x, b: b[0] * (b[1] + x) ** (-1 / b[2]),
    "BoxBOD": lambda x, b: b[0] * (1 - jnp.exp(-b[1] * x)),
    "Chwirut1": _decay,
    "Chwirut2": _decay,
    "DanWood": lambda x, b: b[0] * x ** b[1],
    "ENSO": _enso,
    "Eckerle4": lambda x, b: b[0] / b[1] * jnp.exp(-0.5 * ((x - b[2]) / b[1]) ** 2),
    "Gauss1": _gauss,
    "Gauss2": _gauss,
    "Gauss3": _gauss,
    "Hahn1": _cubics,
    "Kirby2": lambda x, b: (b[0] + b[1] * x + b[2] * x**2) / (1 + b[3] * x + b[4] * x**2),
    "Lanczos1": _lanczos,
    "Lanczos2": _lanczos,
    "Lanczos3": _lanczos,
    "MGH09": lambda x, b: b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3]),
    "MGH10": lambda x, b: b[0] * jnp.exp(b[1] / (x + b[2])),
    "MGH17": lambda x, b: b[0] + b[1] * jnp.exp(-x * b[3]) + b[2] * jnp.exp(-x * b[4]),
    "Misra1a": lambda x, b: b[0] * (1 - jnp.exp(-b[1] * x)),
    "Misra1b": lambda x, b: b[0] * (1 - (1 + b[1] * x / 2) ** -2),
    "Misra1c": lambda x, b: b[0] * (1 - (1 + 2 * b[1] * x) ** -0.5),
    "Misra1d": lambda x, b: b[0] * b[1] * x / (1 + b[1] * x),
    "Nelson": lambda x, b: b[0] - b[1] * x[:, 0] * jnp.exp(-b[2] * x[:, 1]),
    "Rat42": lambda x, b: b[0] / (1 + jnp.exp(b[1] - b[2] * x)),
    "Rat43": lambda x, b: b[0] / (1 + jnp.exp(b[1] - b[2] * x)) ** (1 / b[3]),
    "Roszman1": lambda x, b: b[0] - b[1] * x - jnp.arctan(b[2] / (x - b[3])) / jnp.pi,
    "Thurber": _cubics,
}


@dataclass(frozen=True, eq=False)
class Regression:
    """One data set: ``model(x, b)`` against y, two starts, certified parameters with errors, the sum of squares."""

    name: str
    level: str
    model: object
    x: np.ndarray
    y: np.ndarray
    starts: tuple[np.ndarray, np.ndarray]
    certified: np.ndarray
    errors: np.ndarray
    rss: float

    def __str__(self) -> str:
        return self.name


def digits(found, certified):
    """The smallest number of digits that agree, −log₁₀ of the relative error; 11 are certified."""
    with np.errstate(divide="ignore"):
        return float(np.min(-np.log10(np.abs(np.asarray(found) - certified) / np.abs(certified))))


def _read():
    found = json.loads((Path(__file__).parent / "data" / "nist_strd.json").read_text())
    for name, given in found.items():
        data = np.array(given["data"])
        y, x = data[:, 0], data[:, 1] if data.shape[1] == 2 else data[:, 1:]
        if name == "Nelson":  # the model is one of the logarithm
            y = np.log(y)
        starts = tuple(np.array(start) for start in given["starts"])
        certified = np.array(given["certified"]), np.array(given["standard_deviation"])
        yield Regression(name, given["level"], MODELS[name], x, y, starts, *certified, given["rss"])


REGRESSIONS = tuple(_read())
