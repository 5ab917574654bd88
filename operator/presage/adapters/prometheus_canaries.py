"""Canaries of retention tiers, over the Prometheus HTTP API; old ones are written by VictoriaMetrics' import API.

Each server of a source has a line of its own, with the source's credentials and limits.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from prometheus_api_client import PrometheusConnect

from presage.adapters.prometheus_line import Observer, ReadSecret, SourceLine
from presage.adapters.recently_used import RecentlyUsed
from presage.core.faults import SourceFault
from presage.core.recording.marks import RETENTION_ATTRIBUTE
from presage.core.recording.retention.canary import (
    METRIC,
    SOURCE_LABEL,
    Canary,
    Look,
    build_held_query,
    build_newest_query,
    find_longer,
)
from presage.core.recording.retention.tiers import Retention, Tier
from presage.core.source_reading import Source

T = TypeVar("T")
_FORGET_S = 3_600.0
_UNCACHED = {"nocache": "1"}  # VictoriaMetrics may else show what it forgot long ago; others ignore it


class PrometheusCanaries:
    """Answers the port `Canaries`.

    Args:
        read_secret: Reads credentials.
        allow_loopback: Whether servers may live on this host's loopback.
        observer: Told of every request, on the event loop.
    """

    def __init__(
        self, read_secret: ReadSecret, *, allow_loopback: bool = False, observer: Observer | None = None
    ) -> None:
        self._lines: RecentlyUsed[Source, SourceLine] = RecentlyUsed(
            lambda source: SourceLine(source, read_secret, allow_loopback=allow_loopback, observer=observer),
            life_s=_FORGET_S,
            forget=SourceLine.close,
        )

    async def close(self) -> None:
        """Drop what has not started and close connections."""
        for line in self._lines:
            line.close()

    async def look(self, source: Source, retention: Retention, known: Mapping[str, Canary]) -> dict[str, Look]:
        """Return what is found of each tier's canary; every server is asked at the same time."""
        urls = sorted({source.spec.url, *(tier.url for tier in retention.tiers)})
        asked = [tier for tier in retention.tiers if known[tier.name].at is not None]
        newest, held = await asyncio.gather(
            asyncio.gather(*(_caught(self._find_newest(source, retention, url)) for url in urls)),
            asyncio.gather(*(_caught(self._find_held(source, retention, tier, known[tier.name])) for tier in asked)),
        )
        by_url = dict(zip(urls, newest, strict=True))
        by_tier = dict(zip((tier.name for tier in asked), held, strict=True))
        return {
            tier.name: _combine(tier, by_url, by_tier.get(tier.name), find_longer(retention, tier, source.spec.url))
            for tier in retention.tiers
        }

    async def write(self, source: Source, tier: Tier, at: float) -> None:
        """Write a canary with a time in the past.

        Raises:
            SourceFault: If the server does not take it.
        """
        labels = {"__name__": METRIC, SOURCE_LABEL: source.name, RETENTION_ATTRIBUTE: tier.name}
        line = json.dumps({"metric": labels, "values": [1], "timestamps": [int(at * 1000)]})
        await self._lines.get(_server(source, tier.name, tier.url)).ask(partial(_import, line))

    async def _find_newest(self, source: Source, retention: Retention, url: str) -> dict[str, float]:
        name = next((tier.name for tier in retention.tiers if tier.url == url), "")
        line = self._lines.get(_server(source, name, url))
        return await line.ask(partial(_read_newest, build_newest_query(source.name)))

    async def _find_held(self, source: Source, retention: Retention, tier: Tier, canary: Canary) -> bool:
        line = self._lines.get(_server(source, tier.name, tier.url))
        return await line.ask(partial(_read_held, build_held_query(source.name, tier), canary.at or 0.0))


def _server(source: Source, tier: str, url: str) -> Source:
    """Return one server of a source as a source of its own, so that faults and metrics name the tier."""
    name = f"{source.name}, tier {tier}" if tier else source.name
    return Source(name, source.generation, replace(source.spec, url=url))


def _combine(
    tier: Tier,
    newest: Mapping[str, Mapping[str, float] | SourceFault],
    held: bool | SourceFault | None,
    longer: tuple[str, ...],
) -> Look:
    """Return a tier's look; a server that might keep its series longer and cannot be asked leaves it open, too."""
    elsewhere = []
    for url in (tier.url, *longer):
        found = newest[url]
        if isinstance(found, SourceFault):
            return Look(fault=found.message)
        if url != tier.url and tier.name in found:
            elsewhere.append(url)
    if isinstance(held, SourceFault):
        return Look(fault=held.message)
    own = newest[tier.url]
    return Look(own.get(tier.name) if isinstance(own, Mapping) else None, held, tuple(elsewhere))


async def _caught(asked: Awaitable[T]) -> T | SourceFault:
    try:
        return await asked
    except SourceFault as fault:
        return fault


def _read_newest(query: str, prometheus: PrometheusConnect) -> dict[str, float]:
    answer = prometheus.custom_query(query, params=_UNCACHED)
    return {entry["metric"].get(RETENTION_ATTRIBUTE, ""): float(entry["value"][1]) for entry in answer}


def _read_held(query: str, at: float, prometheus: PrometheusConnect) -> bool:
    answer = prometheus.custom_query(query, params={**_UNCACHED, "time": f"{at + 1:.0f}"})
    return any(float(entry["value"][1]) > 0 for entry in answer)


def _import(line: str, prometheus: PrometheusConnect) -> None:
    prometheus._session.request("POST", f"{prometheus.url}/api/v1/import", data=line)
