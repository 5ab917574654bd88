"""The `accounts` block of status: what scaling gave and cost, beside the reactive part alone."""

from __future__ import annotations

from pydantic import Field

from presage.resources.base import Model

_UNMET = "Load that ready replicas could not serve, as a share of all load."
_HOURS = "Hours of replicas, summed over them."


class BillStatus(Model):
    """One way of scaling over a span of time."""

    unmet_share: float = Field(ge=0, le=1, description=_UNMET)
    replica_hours: float = Field(ge=0, description=_HOURS)


class AccountStatus(BillStatus):
    """A span of time with presage's decisions, and with the reactive part alone."""

    hours: float = Field(ge=0, description="How much of the span was accounted, in hours; the rest had no data.")
    reactive: BillStatus = Field(description="The same with the reactive part alone.")
    saved: float = Field(
        description="Replica-hours that presage needed less than the reactive part alone; negative if it needed more."
    )


class AccountsStatus(Model):
    """What was won and spent, by replay of the load that came. With mode DryRun, what would have been."""

    since: str = Field(
        description="From when on there are accounts (RFC 3339).", json_schema_extra={"format": "date-time"}
    )
    day: AccountStatus | None = Field(default=None, description="The last 24 hours.")
    week: AccountStatus | None = Field(default=None, description="The last 7 days.")
