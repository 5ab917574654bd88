"""What /metrics shows, and that an object's series go with the object."""

from __future__ import annotations

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from presage.observability.metrics import Metrics


async def samples(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """Values of one series by the values of its labels, in the order of the labels' names."""
    text = (await metrics.render()).decode()
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


async def test_counts_by_kind_and_outcome() -> None:
    metrics = Metrics()
    metrics.observe_reconcile("MetricProfile", "Ok", 0.2)
    metrics.observe_reconcile("MetricProfile", "Retry", 0.1)
    metrics.observe_reconcile("MetricProfile", "Ok", 0.2)
    assert await samples(metrics, "presage_reconcile_duration_seconds_count") == {
        ("MetricProfile", "Ok"): 2,
        ("MetricProfile", "Retry"): 1,
    }


async def test_requests_and_decisions_are_counted() -> None:
    metrics = Metrics()
    metrics.observe_kube_request("scale", "deployments", "ok", 0.01)
    metrics.observe_kube_request("scale", "deployments", "Conflict", 0.01)
    metrics.observe_source_request("main", "Timeout", 10)
    metrics.count_decision("MetricProfile", "Forecast")
    assert await samples(metrics, "presage_kube_requests_total") == {
        ("ok", "deployments", "scale"): 1,
        ("Conflict", "deployments", "scale"): 1,
    }
    assert await samples(metrics, "presage_source_request_duration_seconds_sum") == {("Timeout", "main"): 10}
    assert await samples(metrics, "presage_decisions_total") == {("Forecast", "MetricProfile"): 1}


async def test_a_watched_value_is_read_at_each_scrape() -> None:
    metrics, depth = Metrics(), [0.0]
    metrics.watch_value("presage_queue_depth", lambda: depth[0])
    assert await samples(metrics, "presage_queue_depth") == {(): 0}
    depth[0] = 7
    assert await samples(metrics, "presage_queue_depth") == {(): 7}


async def test_an_unknown_value_of_an_object_is_absent_not_stale() -> None:
    metrics = Metrics()
    metrics.set_object("MetricProfile", "n", "p", {"desired_replicas": 3, "observed_load": 40}, ready=True)
    metrics.set_object("MetricProfile", "n", "q", {"desired_replicas": 1, "observed_load": 5}, ready=True)
    metrics.set_object("MetricProfile", "n", "p", {"desired_replicas": 4}, ready=True)
    assert await samples(metrics, "presage_desired_replicas") == {
        ("MetricProfile", "p", "n"): 4,
        ("MetricProfile", "q", "n"): 1,
    }
    assert await samples(metrics, "presage_observed_load") == {("MetricProfile", "q", "n"): 5}


async def test_a_deleted_object_takes_its_series_along() -> None:
    metrics = Metrics()
    metrics.set_object("MetricProfile", "n", "p", {"desired_replicas": 3}, ready=True)
    metrics.set_object("MetricProfile", "n", "q", {"desired_replicas": 3}, ready=True)
    metrics.forget_object("MetricProfile", "n", "p")
    metrics.forget_object("MetricProfile", "n", "never seen")
    assert await samples(metrics, "presage_desired_replicas") == {("MetricProfile", "q", "n"): 3}


async def test_a_series_with_a_label_of_its_own_follows_what_the_label_says() -> None:
    metrics = Metrics(gauges={"forecast_weight": "Share."}, gauge_labels={"forecast_weight": "model"})
    for name in "pq":
        metrics.set_object("K", "n", name, {"forecast_weight": {"day": 0.7, "last": 0.3}}, ready=True)
    metrics.set_object("K", "n", "p", {"forecast_weight": {"day": 0.6, "week": 0.4}}, ready=True)
    left = {("K", "day", "q", "n"): 0.7, ("K", "last", "q", "n"): 0.3}
    assert await samples(metrics, "presage_forecast_weight") == {
        ("K", "day", "p", "n"): 0.6,
        ("K", "week", "p", "n"): 0.4,
        **left,
    }
    metrics.set_object("K", "n", "p", {}, ready=True)
    assert await samples(metrics, "presage_forecast_weight") == left
    metrics.forget_object("K", "n", "q")
    assert await samples(metrics, "presage_forecast_weight") == {}


async def test_per_object_series_can_be_switched_off() -> None:
    metrics = Metrics(per_object=False)
    metrics.set_object("MetricProfile", "n", "p", {"desired_replicas": 3}, ready=True)
    metrics.forget_object("MetricProfile", "n", "p")
    assert await samples(metrics, "presage_desired_replicas") == {}


async def test_ready_objects_are_counted_and_shown() -> None:
    metrics = Metrics()
    for ready in (False, True, True):
        metrics.set_object("MetricProfile", "n", "p", {}, ready=ready)
    metrics.set_object("MetricProfile", "n", "q", {}, ready=False)
    metrics.set_object("MetricSource", "", "s", {}, ready=True)
    assert await samples(metrics, "presage_objects") == {
        ("MetricProfile", "true"): 1,
        ("MetricProfile", "false"): 1,
        ("MetricSource", "true"): 1,
    }
    assert await samples(metrics, "presage_object_ready") == {
        ("MetricProfile", "p", "n"): 1,
        ("MetricProfile", "q", "n"): 0,
        ("MetricSource", "s", ""): 1,
    }
    metrics.forget_object("MetricProfile", "n", "q")
    metrics.forget_object("MetricProfile", "n", "q")
    assert (await samples(metrics, "presage_objects"))["MetricProfile", "false"] == 0


async def test_conditions_are_shown_one_by_one() -> None:
    metrics = Metrics()
    metrics.set_object("K", "n", "p", {"object_condition": {"TargetFound": 1.0, "Paused": 0.0}}, ready=True)
    metrics.set_object("K", "n", "p", {"object_condition": {"TargetFound": 0.0}}, ready=True)
    assert await samples(metrics, "presage_object_condition") == {("TargetFound", "K", "p", "n"): 0}


async def test_objects_are_counted_without_their_names() -> None:
    metrics = Metrics(per_object=False)
    metrics.set_object("MetricProfile", "n", "p", {}, ready=False)
    assert await samples(metrics, "presage_objects") == {("MetricProfile", "false"): 1}
    assert await samples(metrics, "presage_object_ready") == {}


async def test_the_process_tells_its_memory() -> None:
    assert (await samples(Metrics(), "process_resident_memory_bytes"))[()] > 1e6


async def test_the_loop_lag_is_sampled() -> None:
    metrics = Metrics()
    sampling = asyncio.ensure_future(metrics.sample_loop_lag())
    await asyncio.sleep(0.6)
    sampling.cancel()
    count = (await samples(metrics, "presage_event_loop_lag_seconds_count"))[()]
    assert 1 <= count <= 3
