"""Figures of the bench: what the operator's metrics mean, and what makes it fail."""

from __future__ import annotations

import math
import random

import pytest

from e2e.bench.__main__ import build_parser
from e2e.bench.load import load_at, render_history, render_scrape
from e2e.bench.measure import Idle, figures_of_idle
from e2e.bench.operator import Scrape
from e2e.bench.report import Figure, build_document, quantile, render_table


def scrape(**series: float) -> Scrape:
    return Scrape({(name, frozenset[tuple[str, str]]()): value for name, value in series.items()})


def calls(**counts: float) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return counts by `verb_resource`."""
    named = {name: name.split("_") for name in counts}
    return {
        ("presage_kube_requests_total", frozenset({("verb", verb), ("resource", resource)})): counts[name]
        for name, (verb, resource) in named.items()
    }


def test_growth_and_sums() -> None:
    before, after = (
        Scrape(calls(get_pods=2, update_leases=5)),
        Scrape(calls(get_pods=3, update_leases=9, update_pods=1)),
    )
    grown = after.since(before)
    assert grown.total("presage_kube_requests_total") == 6
    assert grown.total("presage_kube_requests_total", verb="update") == 5
    assert grown.count("presage_kube_requests_total") == 3


def test_a_quantile_lies_within_its_bucket() -> None:
    buckets = {
        ("lag_bucket", frozenset({("le", le)})): count for le, count in (("0.1", 90), ("0.2", 100), ("+Inf", 100))
    }
    assert Scrape(buckets).quantile("lag", 0.95) == pytest.approx(0.15)
    assert math.isnan(Scrape({}).quantile("lag", 0.95))


@pytest.mark.parametrize(
    ("value", "most", "verdict"),
    [
        pytest.param(2.0, 2.0, "pass", id="just"),
        pytest.param(2.1, 2.0, "falls short", id="over"),
        pytest.param(math.nan, 2.0, "falls short", id="unknown"),
        pytest.param(9.0, None, "-", id="nothing asked"),
    ],
)
def test_verdicts(value: float, most: float | None, verdict: str) -> None:
    figure = Figure("x", 1, value, "s", most)
    assert figure.verdict == verdict
    assert verdict in render_table([figure], ["idle"])
    assert build_document([figure], ["idle"])["figures"][0]["verdict"] == verdict


def test_a_write_more_than_the_refresh_falls_short() -> None:
    quiet = Idle(60, Scrape(calls(update_leases=30, create_selfsubjectaccessreviews=22, list_pods=3)), 0, 1)
    busy = Idle(60, Scrape(calls(update_leases=30, apply_metricprofiles=1)), 0, 1)
    assert next(iter(figures_of_idle(quiet, 1, None))).verdict == "pass"
    assert next(iter(figures_of_idle(busy, 1, None))).verdict == "falls short"


def test_quantiles_of_few_values() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2
    assert quantile([3.0, 1.0, 2.0], 0.99) == 3
    assert math.isnan(quantile([], 0.5))


def test_the_load_never_asks_for_a_second_replica() -> None:
    for noise in (-1.0, 1.0):
        assert all(0 < load_at(n, 3600 * h, noise) * 1.1 < 60 for n in range(10) for h in range(24))


def test_history_and_scrape_name_each_object() -> None:
    rng = random.Random(0)  # noqa: S311  # noise, no secret
    text = "".join(render_history(2, 1_700_000_000, rng))
    assert text.startswith("# TYPE")
    assert text.endswith("# EOF\n")
    assert text.count('route="/0"') == text.count('route="/1"') == 9 * 288
    assert render_scrape(range(1, 4, 2), 0, rng).count("route=") == 2


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(["--help"])
    assert "python -m e2e.bench" in capsys.readouterr().out
