"""What `presage explain` says of a profile."""

from __future__ import annotations

from typing import Any

from presage.cli.explain import render


def profile(**forecast: Any) -> dict[str, Any]:
    condition = {"type": "Ready", "status": "True", "reason": "AsSpecified", "message": "In force."}
    return {
        "metadata": {"namespace": "team", "name": "shop"},
        "spec": {"target": {"name": "shop"}},
        "status": {"conditions": [condition], "forecast": {"originTime": "2026-01-01T00:00:00Z", **forecast}},
    }


def test_it_says_what_the_forecast_stands_on() -> None:
    tests = [
        {"seasonSeconds": 86400, "used": True, "reason": "Repeats"},
        {"seasonSeconds": 604800, "used": False, "reason": "TooLittleHistory"},
    ]
    coverage = {"asked": 0.9, "got": 0.884, "samples": 480}
    lines = render(profile(seasonTests=tests, coverage=coverage, levelShiftTime="2025-12-31T00:00:00Z")).splitlines()
    assert "  coverage   88.4% of 90.0%, 480 outcomes" in lines
    assert "  seasons    86400 s used (Repeats), 604800 s not used (TooLittleHistory)" in lines
    assert "  new level  since 2025-12-31T00:00:00Z" in lines


def test_what_is_not_known_is_not_said() -> None:
    text = render(profile())
    assert not [word for word in ("coverage", "seasons", "new level") if word in text]
