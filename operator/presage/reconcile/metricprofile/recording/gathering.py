"""Gather what a decision about recording rests on: the document stored, the target's pods, and what they say."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace

from presage.core.faults import SourceFault
from presage.core.query import InstanceValues, Matcher, Selection
from presage.core.recording.marks import GENERATION_METRIC, PROFILE_ATTRIBUTE, config_map_name
from presage.core.recording.numbering import Numbered
from presage.core.recording.rollout import RecordingPod, Sighting
from presage.core.units import parse_time
from presage.reconcile.metricprofile.inputs import Problem
from presage.reconcile.metricprofile.measuring import Asking, find_tenant
from presage.reconcile.metricprofile.recording.inputs import RecordingInput, RecordingMemory, Stored
from presage.reconcile.metricprofile.recording.reporting import recall_applied, recall_choice, recall_generation
from presage.reconcile.metricprofile.recording.watching import CONFIG_MAPS
from presage.reconcile.metricprofile.watching import DEPLOYMENTS, PODS
from presage.reconcile.owned import find_children, owner_of
from presage.reconcile.ports import Json, Source, Watched
from presage.resources.metricprofile import MetricProfile

PATIENCE_S = 2.0  # replicas never wait longer for what functions say of themselves
CALM_S = 30.0  # between two questions where nothing is missing
KEEP_S = 120.0  # for how long what was said holds, where the source fails: a generation only rises
MAX_AGE_S = 300.0  # of a sample: a push comes as rarely as once a minute
_PROCESS = re.compile(r"-[0-9]+$")  # a process that pushes is named after its pod and its own number


async def gather_recording(
    asking: Asking, profile: MetricProfile, source: Source | Problem, memory: RecordingMemory, stored: Json
) -> tuple[RecordingInput | None, RecordingMemory]:
    """Return the input of a decision about recording, and its memory with what was heard now.

    There is no input where recording is not asked for and nothing is left of it.

    Args:
        asking: What is asked for, and of whom.
        profile: The object.
        source: The one to ask, or why it may not be asked.
        memory: From the previous decision; empty after a restart.
        stored: The object as it is stored.
    """
    meta, ports, target = asking.meta, asking.ports, asking.spec.target
    namespace = meta.namespace or ""
    document = find_document(profile, ports.watched)
    if document is None and not asking.spec.recording.active:
        return None, RecordingMemory()
    deployment = ports.watched.get(DEPLOYMENTS, namespace, target)
    pods = read_pods(ports.watched, namespace, target, meta.name)
    memory = await _listen(asking, source if isinstance(source, Source) else None, pods, memory)
    status = stored.get("status") or {}
    given = RecordingInput(
        namespace=namespace,
        name=meta.name,
        stored=document,
        recalled=recall_generation(status),
        asks=None if deployment is None else deployment["asks"],
        replicas=0 if deployment is None else deployment["replicas"],
        pods=pods,
        sighting=memory.sighting,
        mechanism=ports.injection.mechanism(),
    )
    if memory.choice is None:
        memory = replace(memory, choice=recall_choice(status), applied=recall_applied(status))
    return given, memory


def find_document(profile: MetricProfile, watched: Watched) -> Stored | None:
    """Return what the ConfigMap of a MetricProfile holds; None if there is none of ours, or nothing in it."""
    name = config_map_name(profile.metadata.name)
    found = (c for c in find_children(watched, owner_of(profile), CONFIG_MAPS) if c["name"] == name)
    child = next(found, None)
    if child is None or child["empty"]:
        return None
    document = Numbered(child["generation"], child["digest"]) if child["generation"] else None
    return Stored(document, parse_time(child["stored_at"]))


def read_pods(watched: Watched, namespace: str, target: str, profile: str) -> tuple[RecordingPod, ...]:
    """Return the target's pods, as far as recording by one MetricProfile goes."""
    name = config_map_name(profile)
    return tuple(
        RecordingPod(
            name=pod["metadata"]["name"],
            uid=pod["uid"],
            address=pod["ip"],
            created=parse_time(pod["created"]) or 0.0,
            ready_at=parse_time(pod["ready_at"]),
            injected=pod["document"] == name,
            touched=pod["touched"],
        )
        for pod in watched.find(PODS, f"{namespace}/{target}")
        if not pod["leaving"]
    )


async def _listen(
    asking: Asking, source: Source | None, pods: tuple[RecordingPod, ...], memory: RecordingMemory
) -> RecordingMemory:
    """Ask what instances record by, if that is due; what fails costs nothing but the news."""
    before, now, meta = memory.sighting, asking.now, asking.meta
    if source is None or not any(pod.injected and pod.ready_at is not None for pod in pods):
        return replace(memory, sighting=None)
    if before is not None and memory.content and 0 <= now - before.at < CALM_S:
        return memory
    asked = Selection(
        InstanceValues(GENERATION_METRIC, (Matcher(PROFILE_ATTRIBUTE, "=", meta.name),)), find_tenant(source, meta)
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            (sample,) = await asking.ports.loads.observe(source, [asked], MAX_AGE_S)
    except (SourceFault, TimeoutError):
        kept = before is not None and 0 <= now - before.at < KEEP_S
        return memory if kept else replace(memory, sighting=None)
    return replace(memory, sighting=Sighting(now, _pick_own(sample.values, pods)))


def _pick_own(values: Mapping[str, float], pods: tuple[RecordingPod, ...]) -> dict[str, float]:
    """Return what the pods' instances said; of several processes in a pod, the one that is furthest behind."""
    own = {name for pod in pods for name in (pod.name, pod.address) if name}
    heard: dict[str, float] = {}
    for instance, value in values.items():
        name = instance if instance in own else _PROCESS.sub("", instance)
        if name in own:
            heard[name] = min(value, heard.get(name, value))
    return heard
