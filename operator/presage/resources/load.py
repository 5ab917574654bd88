"""Where a load and its data volume are measured: one counter or one gauge each."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from presage.core.query import CounterLoad, GaugeLoad
from presage.resources.base import Model, Rule
from presage.resources.series import CounterSeries, GaugeSeries


def _one_series(name: str) -> Rule:
    return Rule(
        "has(self.counter) != has(self.gauge)",
        f"{name} must have exactly one of counter and gauge",
        lambda measured: (measured.counter is None) != (measured.gauge is None),
    )


class _Measured(Model):
    counter: CounterSeries | None
    gauge: GaugeSeries | None

    def to_core(self) -> CounterLoad | GaugeLoad:
        """Return the one series that is given."""
        series = self.counter or self.gauge
        if series is None:
            raise AssertionError("the rule of this model lets exactly one through")
        return series.to_core()


class DataVolume(_Measured):
    """Where the data volume of one event type is measured."""

    rules: ClassVar[tuple[Rule, ...]] = (_one_series("bytes"),)

    counter: CounterSeries | None = Field(
        default=None, description="A counter of bytes, such as bytes received; its rate per second is the data volume."
    )
    gauge: GaugeSeries | None = Field(default=None, description="A gauge of bytes, such as bytes in a backlog.")


class Load(_Measured):
    """Where the load of one event type is measured."""

    rules: ClassVar[tuple[Rule, ...]] = (_one_series("load"),)

    counter: CounterSeries | None = Field(
        default=None, description="A counter, such as requests handled; its rate per second is the load."
    )
    gauge: GaugeSeries | None = Field(default=None, description="A gauge, such as requests in flight.")
    bytes: DataVolume | None = Field(
        default=None,
        description=(
            "The data volume of this event type, besides its load; needs scaling.perPodBytes. Volumes of all event "
            "types add up without weight. Pods must serve both: of the two needs the larger one binds."
        ),
    )
