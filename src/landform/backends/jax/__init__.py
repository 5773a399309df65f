"""JAX as a backend of the derivative operators (`landform.backends.protocol.Backend`).

Nothing here changes a global setting. Points that come as NumPy float64 (or as plain numbers) are worked on in
double precision inside a local context; JAX arrays stay in the precision and on the device they came in.

The files in the order in which a point passes them: `context` (precision, complaints), `tree` (arrays as one vector),
`flat` (the function between vectors, with its `state` and its `record`), `compiled`, `programs` and `tables` (products,
and whole tables), `dense` (matrices), `seeds` (sparse matrices), `layered` (slopes by layers and rows), `higher`
(Gauss-Newton, Laplacians, Taylor coefficients), `joint` (functions made one), `argmin` (a minimum as a function).
`families` has what a Fisher information needs of distributions.
"""

from __future__ import annotations

from landform.backends.jax import families
from landform.backends.jax.argmin import Argmin
from landform.backends.jax.compiled import (
    Compiled,
    compiled,
)
from landform.backends.jax.context import (
    double_precision,
    explained,
    precision_of,
)
from landform.backends.jax.dense import (
    hessian_dense,
    jacobian_forward,
    jacobian_reverse,
    symmetric_rows,
)
from landform.backends.jax.flat import (
    Flat,
    evaluated_anew,
    flat_function,
    notes,
    output_leaves,
    output_size,
    output_tree,
    work_bytes,
)
from landform.backends.jax.higher import (
    laplacian,
    loss_of_linear,
    taylor,
)
from landform.backends.jax.joint import (
    half_squared,
    joint_function,
)
from landform.backends.jax.layered import layered
from landform.backends.jax.programs import (
    FixedPoint,
    bend,
    hessian_product,
    outputs_at,
    pullback,
    pushforward,
    second_derivatives,
    value,
    value_and_hessian_product,
    value_and_pullback,
    value_and_pushforward,
    value_and_quadratic,
    values,
    values_and_jacobians,
)
from landform.backends.jax.seeds import (
    hessian_products,
    pullbacks,
    pushforwards,
    sparse_matrix,
    taken,
)
from landform.backends.jax.tables import (
    curves,
    slopes_by_input,
    slopes_by_output,
)
from landform.backends.jax.tree import (
    as_double,
    as_point,
    first_not_finite,
    flatten_point,
    in_form_of,
    is_native,
    joined,
    leaf_names,
    leaves,
    leaves_of,
    map_leaves,
    rounding,
    rows,
    rows_of,
    shaped,
    to_numpy,
    vector,
)

__all__ = [
    "Argmin",
    "Compiled",
    "FixedPoint",
    "Flat",
    "as_double",
    "as_point",
    "bend",
    "compiled",
    "curves",
    "double_precision",
    "evaluated_anew",
    "explained",
    "families",
    "first_not_finite",
    "flat_function",
    "flatten_point",
    "half_squared",
    "hessian_dense",
    "hessian_plan",
    "hessian_product",
    "hessian_products",
    "in_form_of",
    "is_native",
    "jacobian_forward",
    "jacobian_reverse",
    "joined",
    "joint_function",
    "laplacian",
    "layered",
    "leaf_names",
    "leaves",
    "leaves_of",
    "loss_of_linear",
    "map_leaves",
    "name",
    "notes",
    "output_leaves",
    "output_size",
    "output_tree",
    "outputs_at",
    "precision_of",
    "pullback",
    "pullback_cost",
    "pullbacks",
    "pushforward",
    "pushforwards",
    "rounding",
    "rows",
    "rows_of",
    "second_derivatives",
    "shaped",
    "slopes_by_input",
    "slopes_by_output",
    "sparse_matrix",
    "symmetric_rows",
    "taken",
    "taylor",
    "to_numpy",
    "value",
    "value_and_hessian_product",
    "value_and_pullback",
    "value_and_pushforward",
    "value_and_quadratic",
    "values",
    "values_and_jacobians",
    "vector",
    "work_bytes",
]

name = "JAX"
hessian_plan = ("forward over reverse", "the gradient is linearized once")
pullback_cost = 2.0  # Griewank and Walther (2008), ch. 3 and 4
