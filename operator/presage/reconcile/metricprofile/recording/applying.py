"""Write what a decision about recording plans: the document first, then, once replicas are set, the pods.

Invariant: recording never holds replicas up for longer than `PATIENCE_S`, and never keeps them from being set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable

from presage.core.conditions import Condition
from presage.core.faults import WriteRefused
from presage.core.outcome import Ok
from presage.core.recording.document import KEY
from presage.core.recording.marks import GENERATION_ANNOTATION
from presage.reconcile.kind import Applied, Note
from presage.reconcile.metricprofile.recording.inputs import RecordingPlan
from presage.reconcile.metricprofile.recording.watching import CONFIG_MAPS
from presage.reconcile.owned import owner_of
from presage.reconcile.ports import Ports
from presage.resources.metricprofile import MetricProfile

PATIENCE_S = 5.0
NEXT_BATCH_S = 1.0
_AT_ONCE = 8


async def store_document(profile: MetricProfile, plan: RecordingPlan, ports: Ports) -> WriteRefused | None:
    """Store the document, or take it away; return why that was refused or is not done in time, None if all is well.

    A ConfigMap without a document stays until its owner goes: to delete it would take a right that nothing else needs.
    """
    body = {} if plan.obsolete else {"data": {KEY: plan.document}}
    try:
        async with asyncio.timeout(PATIENCE_S):
            if plan.obsolete or plan.document:
                await ports.children.apply(owner_of(profile), CONFIG_MAPS, plan.name, body)
    except WriteRefused as refused:
        return WriteRefused("Unavailable", refused.message) if refused.reason == "Conflict" else refused
    except TimeoutError:
        message = f"ConfigMap {plan.name} was not stored within {PATIENCE_S:g} s; tried again."
        return WriteRefused("Unavailable", message)
    return None


async def follow_up(
    profile: MetricProfile, plan: RecordingPlan, refusal: WriteRefused | None, scaled: Applied, ports: Ports
) -> Applied:
    """Tell the pods of the document that was stored; return what all of it came to.

    Args:
        profile: The object.
        plan: What is written about recording.
        refusal: Why the document was not stored; None if it was.
        scaled: What scaling came to.
        ports: The outside.
    """
    outcome, conditions, notes = scaled.outcome, scaled.conditions, scaled.notes
    if refusal is None:
        refusal = await _touch(profile, plan, ports)
        notes = (*notes, *await _replace(profile, plan, ports))
    if refusal is not None and not plan.obsolete:
        observed = profile.metadata.generation
        conditions = (*conditions, Condition("ProfileApplied", "False", refusal.reason, refusal.message, observed))
    elif isinstance(outcome, Ok) and plan.more:
        outcome = Ok(min(outcome.next_in_s, NEXT_BATCH_S))
    return Applied(outcome, conditions, notes)


async def _touch(profile: MetricProfile, plan: RecordingPlan, ports: Ports) -> WriteRefused | None:
    """Touch pods, so that their kubelets bring the document at once; return the first refusal, which ends it.

    A pod that is not touched gets the document too, within 90 s.
    """
    namespace, mark = profile.metadata.namespace or "", {GENERATION_ANNOTATION: str(plan.generation)}
    try:
        for first in range(0, len(plan.touch), _AT_ONCE):
            await _all(ports.pods.annotate(namespace, name, mark) for name in plan.touch[first : first + _AT_ONCE])
    except WriteRefused as refused:
        late = "Kubelets bring the profiles chosen within 90 s all the same."
        return WriteRefused("TouchRefused", f"{refused.message} {late}")
    return None


async def _replace(profile: MetricProfile, plan: RecordingPlan, ports: Ports) -> tuple[Note, ...]:
    """Ask for the end of a pod that lacks the reference; return what is worth an event."""
    if plan.restart is None:
        return ()
    name, uid = plan.restart
    try:
        await ports.pods.evict(profile.metadata.namespace or "", name, uid)
    except WriteRefused:
        return ()  # it is asked for again; `Injected` says what is missing meanwhile
    return (Note("PodRestarted", f"Pod {name} was evicted: it was made without the reference to its profiles."),)


async def _all(asked: Iterable[Awaitable[None]]) -> None:
    """Wait for all, then raise the first refusal: a few under way must not go unwatched."""
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
