"""Vocabulary: the words by which headers give a column's role away."""

from __future__ import annotations

import re


def _each(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|#|№")

_IDS = {"no", "nr", "id", "run", "trial", "trials", "sample", "exp", "experiment", "recipe", "formulation", "index"}
_IDS |= {"#", "№", "number", "test", "mix", "blend", "code", "name", "label"}
_BLOCKS = {"batch", "block", "day", "lab", "laboratory", "operator", "week", "date", "session", "plate", "campaign"}
_ERRORS = {"error", "err", "sd", "std", "stdev", "stderr", "se", "sem", "uncertainty", "variance", "rsd", "cv"}
_PROPERTIES = _each(
    """
    absorbance absorption activity adhesion appearance brightness brittleness capacity clarity cloudiness
    color colour compressive conductivity conversion creep cycles deformation degradation density dissolution
    ductility efficiency elasticity elongation emission expansion firmness flexural flow foam foaming fracture
    friction gloss growth hardness haze hiding intensity ldl lifetime loss modulus moisture opacity output
    permeability ph porosity potency purity quality rating reflectance release resilience resistance response
    result roughness score scrub selectivity shrinkage slump solubility spread stability stiffness strain
    strength stress swelling taste tensile texture toughness transmittance turbidity viscosity wear whiteness
    yield yields y
    """
)
_FACTORS = _each(
    """
    aggr aggregate age agitation ash catalyst cement conc concentration cooling curing current dosage dose
    duration feed frequency heating humidity load mixing power pressure pump rate ratio rpm setpoint slag
    speed stirring sp superplasticizer temp temperature time voltage water x
    """
)
_SETTINGS = {"temp", "temperature", "time", "speed", "pressure", "rpm", "duration", "setpoint"}
_RATES = {"flow", "feed"}
_FACTOR_UNITS = {
    "°c",
    "degc",
    "c",
    "k",
    "°f",
    "min",
    "h",
    "hr",
    "hours",
    "s",
    "rpm",
    "bar",
    "ml/min",
    "l/min",
    "v",
    "w",
}
_SHARES = re.compile(r"%|\bw/w\b|\bwt\b|\bvol%|mass fraction|mole fraction|\bfraction\b|\bphr\b", re.IGNORECASE)


def words(name: str) -> list[str]:
    """Cut a header into lower-case words.

    Examples
    --------
    >>> words("Turbidity_NTU"), words("FlowRate"), words("y1")
    (['turbidity', 'ntu'], ['flow', 'rate'], ['y', '1'])
    """
    return [word.lower() for word in _WORD.findall(name)]


def is_id_name(name: str) -> bool:
    """Whether a header names a trial: "No", "ID", "run", "trial number"."""
    found = words(name)
    return bool(found) and all(word in _IDS for word in found)


def is_block_name(name: str) -> bool:
    """Whether a header names a group of trials: "batch", "day"."""
    found = words(name)
    return any(w in _BLOCKS for w in found) and all(w in _BLOCKS | _IDS or w.isdigit() for w in found)


def is_error_name(name: str) -> bool:
    """Whether a header names the error of a measurement: "Turbidity_Error"."""
    found = words(name)
    return len(found) > 1 and any(word in _ERRORS for word in found)


def is_property_name(name: str) -> bool:
    """Whether a header names something measured.

    Examples
    --------
    >>> is_property_name("Compressive Strength"), is_property_name("flow rate"), is_property_name("curing time")
    (True, False, False)
    """
    found = set(words(name))
    if found & _SETTINGS or (found & _RATES and "rate" in found):
        return False
    return bool(found & _PROPERTIES)


def is_factor_name(name: str, unit: str = "") -> bool:
    """Whether a header, or its unit, is that of a process setting.

    Examples
    --------
    >>> is_factor_name("Coarse Aggr."), is_factor_name("oven", "°C"), is_factor_name("gloss")
    (True, True, False)
    """
    return bool(set(words(name)) & _FACTORS) or unit.lower() in _FACTOR_UNITS


def is_share(name: str, unit: str) -> bool:
    """Whether a header or its unit says that the column is a share of a whole."""
    return bool(_SHARES.search(unit) or _SHARES.search(name))
