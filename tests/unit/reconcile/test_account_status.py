"""`status.accounts` and its series: complete, bounded, and nothing that is unknown."""

from __future__ import annotations

from dataclasses import replace

from presage.core.scaling.accounts import Account, Accounts, Bill
from presage.reconcile.metricprofile import DEFINITION
from presage.reconcile.metricprofile.account_status import (
    ACCOUNT_GAUGES,
    ACCOUNT_LABELS,
    build_account_gauges,
    build_accounts,
)
from presage.resources.accountstatus import AccountsStatus

DAY = Account(23.54, Bill(0.00123456, 240.04), Bill(0.0101, 300.36))
WEEK = Account(100.0, Bill(0.0, 1000.0), Bill(0.0, 900.0))
ACCOUNTS = Accounts(1_700_000_000.0, DAY, WEEK)


def test_both_worlds_stand_side_by_side() -> None:
    shown = build_accounts(ACCOUNTS)
    assert shown == {
        "since": "2023-11-14T22:13:20Z",
        "day": {
            "unmetShare": 0.00123,
            "replicaHours": 240.0,
            "hours": 23.5,
            "reactive": {"unmetShare": 0.0101, "replicaHours": 300.4},
            "saved": 60.3,
        },
        "week": {
            "unmetShare": 0.0,
            "replicaHours": 1000.0,
            "hours": 100.0,
            "reactive": {"unmetShare": 0.0, "replicaHours": 900.0},
            "saved": -100.0,
        },
    }
    written = AccountsStatus.model_validate(shown).model_dump(mode="json", by_alias=True)
    assert written == shown, "the schema knows every field"


def test_a_span_without_accounts_is_left_out() -> None:
    young = replace(ACCOUNTS, week=None)
    assert sorted(build_accounts(young)) == ["day", "since"]
    assert build_account_gauges(young)["account_hours"] == {"day": 23.54}


def test_every_number_is_a_series_by_span() -> None:
    gauges = build_account_gauges(ACCOUNTS)
    assert gauges.keys() == ACCOUNT_GAUGES.keys()
    assert gauges["account_unmet_share"] == {"day": 0.00123456, "week": 0.0}
    assert gauges["account_reactive_unmet_share"] == {"day": 0.0101, "week": 0.0}
    assert gauges["account_saved_replica_hours"] == {"day": DAY.saved, "week": -100.0}
    assert {name for name, value in gauges.items() if isinstance(value, dict)} == ACCOUNT_LABELS.keys()
    assert DEFINITION.gauges.keys() >= ACCOUNT_GAUGES.keys()
    assert DEFINITION.gauge_labels.items() >= ACCOUNT_LABELS.items()


def test_accounts_alone_are_no_reason_to_write() -> None:
    assert "accounts" in DEFINITION.volatile_status
