"""The installation's profiles stand behind those of a MetricProfile, for whatever is decided about it."""

from __future__ import annotations

from dataclasses import replace

from presage.core.recording.catalogue import merge_catalogues
from presage.core.recording.types import MetricSettings, RecordingProfile
from presage.reconcile.metricprofile.gather import gather
from presage.resources.metricprofile import MetricProfile
from tests.unit.reconcile.fakes import make_world

SHARED = (
    RecordingProfile("Standard", {"latency": MetricSettings(50, (), "3d")}, 5),
    RecordingProfile("Night", {"requests": MetricSettings()}),
)


async def test_the_nearer_catalogue_wins() -> None:
    world = make_world()
    body = world.objects.bodies["MetricProfile", "team", "shop"]
    body["spec"]["profiles"] = [{"name": "Night", "metrics": [{"name": "errors"}]}]
    body["spec"]["eventTypes"][0]["levels"] = [{"profile": "Standard"}]
    body["spec"]["retention"] = {}
    given = await gather(MetricProfile.parse(body), None, replace(world.ports(), profiles=SHARED))
    known = merge_catalogues(given.spec.recording.profiles)
    assert known["Standard"] == SHARED[0], "the installation's, not the built-in one"
    assert known["Night"].metrics.keys() == {"errors"}, "the object's own, not the installation's"
    assert known.keys() == {"Minimal", "Standard", "Debug", "Night"}
    assert given.retention is not None
    assert "3d" in given.retention.wanted, "tiers are asked of the profiles that there are, as far as they are named"
