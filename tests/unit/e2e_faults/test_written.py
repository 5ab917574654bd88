from __future__ import annotations

import json
from typing import Any

from e2e.faults.steps import find_drops, find_shortages, find_unfounded_events
from e2e.faults.written import Write, find_repeats, find_strangers, find_takeover, parse_log

SCALE, LEASE, EVENT = "apps/deployments/scale", "coordination.k8s.io/leases", "events.k8s.io/events"


def scale(at: float, pod: str, replicas: int, code: int = 200) -> Write:
    return Write(at, pod, "patch", SCALE, "shop", "order", code, {"spec": {"replicas": replicas}})


def lease(at: float, pod: str, holder: str, code: int = 200) -> Write:
    body = {"spec": {"holderIdentity": f"{holder}_1a2b" if holder else ""}}
    return Write(at, pod, "update", LEASE, "system", "presage-operator", code, body)


def event(at: str, pod: str, note: str) -> Write:
    return Write(0.0, pod, "create", EVENT, "shop", "", 201, {"note": note, "eventTime": f"1970-01-01T00:00:{at}Z"})


LINE: dict[str, Any] = {
    "requestReceivedTimestamp": "2026-01-01T00:00:01.500000Z",
    "verb": "patch",
    "user": {"username": "sa", "extra": {"authentication.kubernetes.io/pod-name": ["a"]}},
    "objectRef": {"resource": "deployments", "apiGroup": "apps", "subresource": "scale", "namespace": "n", "name": "o"},
    "responseStatus": {"code": 200},
    "requestObject": {"spec": {"replicas": 3}},
}


def test_lines_of_the_log_become_writes() -> None:
    question = {**LINE, "objectRef": {"resource": "selfsubjectaccessreviews", "apiGroup": "authorization.k8s.io"}}
    lines = [
        json.dumps(LINE),
        json.dumps(question),
        json.dumps({**LINE, "user": {"username": "sa"}, "requestObject": None}),
        '{"half',
    ]
    first, second = parse_log(lines)
    assert (first.at, first.pod, first.place, first.replicas, first.done) == (1767225601.5, "a", SCALE, 3, True)
    assert (second.pod, second.replicas) == ("", None)
    assert "a patch apps/deployments/scale n/o to 3: 200" in str(first)


def test_only_the_holder_of_the_lease_may_write() -> None:
    sound = [scale(0, "b", 9), lease(1, "a", "a"), scale(2, "a", 3), lease(3, "b", "b"), scale(4, "b", 4)]
    assert find_strangers(sound) == []
    late = scale(5, "a", 5)
    assert find_strangers([*sound, late]) == [late]


def test_a_refused_write_harms_nobody_and_gives_no_lease() -> None:
    writes = [lease(1, "a", "a"), lease(2, "b", "b", code=409), scale(3, "b", 3, code=403), scale(4, "a", 3)]
    assert find_strangers(writes) == []
    assert find_takeover(writes, "b") is None


def test_after_a_release_nobody_holds_it() -> None:
    late = scale(3, "a", 3)
    assert find_strangers([lease(1, "a", "a"), lease(2, "a", ""), late]) == [late]


def test_the_takeover_is_the_first_write_of_the_new_holder() -> None:
    first = lease(3, "b", "b")
    assert find_takeover([lease(1, "a", "a"), first, lease(5, "b", "b")], "b") == first


def test_a_number_written_twice_in_a_row_is_found() -> None:
    again = scale(3, "b", 5)
    assert find_repeats([scale(1, "a", 3), scale(2, "a", 5), scale(2.5, "a", 7, code=409), again]) == [again]
    assert find_repeats([scale(1, "a", 3), scale(2, "a", 5), scale(3, "a", 3)]) == []


def test_falls_are_found_within_their_time() -> None:
    steps = [(0.0, 4), (10.0, 8), (20.0, 6), (30.0, 7), (40.0, 2)]
    assert find_drops(steps, 5, 35) == [(20.0, 8, 6)]
    assert find_drops(steps, 0, 19) == []


def test_seconds_with_too_few_replicas_are_found() -> None:
    steps = [(0.0, 4), (10.0, 8), (20.0, 6)]
    assert find_shortages(steps, lambda second: 8 if second >= 12 else 4, 0, 21.5) == [(20, 6, 8), (21, 6, 8)]
    assert find_shortages(steps, lambda second: 4, 0, 30) == []


def test_each_event_belongs_to_a_scale_of_its_own() -> None:
    scales = [scale(1, "a", 3), scale(5, "b", 7)]
    told = event("01.100000", "a", "Deployment order: from 2 to 3 replicas (Forecast).")
    also = event("05.100000", "b", "Deployment order: from 3 to 7 replicas (Reactive).")
    assert find_unfounded_events([told, also], scales) == []
    twice = event("02.000000", "a", "Deployment order: from 2 to 3 replicas (Forecast).")
    assert find_unfounded_events([told, twice], scales) == [twice]
    other = event("06.000000", "b", "Deployment order: from 7 to 9 replicas (Forecast).")
    assert find_unfounded_events([other], scales) == [other]
    stranger = event("06.000000", "c", "Deployment order: from 3 to 7 replicas (Reactive).")
    assert find_unfounded_events([stranger], scales) == [stranger]
