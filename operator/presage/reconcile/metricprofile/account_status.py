"""`status.accounts` and its series."""

from __future__ import annotations

from collections.abc import Mapping

from presage.core.scaling.accounts import Account, Accounts, Bill
from presage.core.units import to_time
from presage.reconcile.kind import GaugeValue
from presage.reconcile.metricprofile.rounding import round_load

ACCOUNT_GAUGES: Mapping[str, str] = {
    "account_since_timestamp_seconds": "From when on there are accounts.",
    "account_hours": "How much of the last day or week was accounted.",
    "account_unmet_share": "Share of the load of a day or week that ready replicas could not serve.",
    "account_replica_hours": "Hours of replicas in a day or week.",
    "account_reactive_unmet_share": "Share of the load that would not have been served by the reactive part alone.",
    "account_reactive_replica_hours": "Hours of replicas that the reactive part alone would have needed.",
    "account_saved_replica_hours": "Replica-hours needed less than by the reactive part alone.",
}
"""The series of the accounts: name without prefix → help."""

ACCOUNT_LABELS: Mapping[str, str] = dict.fromkeys(
    (name for name in ACCOUNT_GAUGES if name != "account_since_timestamp_seconds"), "span"
)
"""Those with a label of their own: `day` or `week`."""


def build_accounts(accounts: Accounts) -> dict[str, object]:
    """Return `status.accounts`; a span of which nothing is known is left out."""
    spans = {span: _build_account(account) for span, account in _spans(accounts).items()}
    return {"since": to_time(accounts.since), **spans}


def build_account_gauges(accounts: Accounts) -> dict[str, GaugeValue]:
    """Return the series of the accounts."""
    spans = _spans(accounts)
    return {
        "account_since_timestamp_seconds": accounts.since,
        "account_hours": {span: each.hours for span, each in spans.items()},
        "account_unmet_share": {span: each.own.unmet_share for span, each in spans.items()},
        "account_replica_hours": {span: each.own.replica_hours for span, each in spans.items()},
        "account_reactive_unmet_share": {span: each.reactive.unmet_share for span, each in spans.items()},
        "account_reactive_replica_hours": {span: each.reactive.replica_hours for span, each in spans.items()},
        "account_saved_replica_hours": {span: each.saved for span, each in spans.items()},
    }


def _spans(accounts: Accounts) -> dict[str, Account]:
    return {span: each for span, each in (("day", accounts.day), ("week", accounts.week)) if each is not None}


def _build_account(account: Account) -> dict[str, object]:
    return {
        **_build_bill(account.own),
        "hours": round(account.hours, 1),
        "reactive": _build_bill(account.reactive),
        "saved": round(account.saved, 1),
    }


def _build_bill(bill: Bill) -> dict[str, float]:
    return {"unmetShare": round_load(bill.unmet_share), "replicaHours": round(bill.replica_hours, 1)}
