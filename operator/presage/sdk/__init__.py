"""Records what a function does, as much of it as the load calls for.

    telemetry = Telemetry()
    order = telemetry.event("order")

    with order.measure(route="/order") as event:
        ...

What is recorded, and how often, comes from a document that presage keeps up to date; see docs/sdk.md. Nothing here
raises into the function's code, and nothing needs presage, its file, or a network.
"""

from presage.sdk.events import Event
from presage.sdk.instruments import Counter, EventType, Gauge, Histogram
from presage.sdk.telemetry import Telemetry

__all__ = ["Counter", "Event", "EventType", "Gauge", "Histogram", "Telemetry"]
