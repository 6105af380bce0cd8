"""What can be done with each entity: services, typed arguments, ranges, care.

The ranges are the entity's own where it reports them (`min_temp`, `hvac_modes`,
`source_list`...). The grammar builder, the JSON Schema, the checks on a call and the
prompt's service list all read this one description.
"""

from .check import check_call, check_group_call
from .description import MAX_TARGETS, Argument, Service, ServiceCall, Span
from .domains import OPENINGS, service_for, services_for

__all__ = [
    "MAX_TARGETS",
    "OPENINGS",
    "Argument",
    "Service",
    "ServiceCall",
    "Span",
    "check_call",
    "check_group_call",
    "service_for",
    "services_for",
]
