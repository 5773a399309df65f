"""Which few directions carry the variation: of a table, of a function, and with what doubt.

``landform.directions(X)`` answers for a table of rows, `landform.active_subspace` for a function of many inputs,
`span_projector` and `eigenvalue_sum` differentiate through such directions.
"""

from landform.callable_room import answers_calls
from landform.directions.active import active_subspace
from landform.directions.activity import ActiveSubspace
from landform.directions.influence import RowInfluence
from landform.directions.principal import PrincipalDirections, principal_directions
from landform.directions.projection import eigenvalue_sum, span_projector
from landform.directions.spans import Span

__all__ = [
    "ActiveSubspace",
    "PrincipalDirections",
    "RowInfluence",
    "Span",
    "active_subspace",
    "eigenvalue_sum",
    "principal_directions",
    "span_projector",
]

answers_calls(__name__, principal_directions)
