"""Whether another binding reason is news: once it has held, and not more often than a person reads."""

from __future__ import annotations

from dataclasses import replace

from presage.reconcile.metricprofile.inputs import BindingMemory

HELD = 3  # decisions in a row: one that flickers is no news
QUIET_S = 600.0  # one event per object in this time


def judge_binding(before: BindingMemory, binding: str, now: float) -> tuple[BindingMemory, str]:
    """Return what is known of binding reasons now, and the one that was told before if that is news; else empty.

    The first one is no news, nor is the first after a time in which nothing was decided; a `Hold` before any is only
    the wait for the first data.

    Args:
        before: From the previous decision.
        binding: Of this decision; empty where nothing was decided.
        now: Epoch seconds.
    """
    if not binding:
        return BindingMemory(told_at=before.told_at), ""
    count = before.count + 1 if binding == before.last else 1
    after = replace(before, last=binding, count=count)
    if count < HELD or binding == before.told:
        return after, ""
    if not before.told:
        return replace(after, told="" if binding == "Hold" else binding), ""
    if now - before.told_at < QUIET_S:
        return after, ""  # it will be told later, if it still holds
    return replace(after, told=binding, told_at=now), before.told
