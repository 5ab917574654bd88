"""What is to be rendered: back end and tiers, from objects and arguments."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from presage.adapters.kubeconfig_reader import Absent, ClusterReader, ReaderError
from presage.cli.live import read_profile
from presage.core.recording.retention import wanted
from presage.core.recording.retention.tiers import LONG_TIER_NAME, Retention, Tier, parse_tier
from presage.resources.base import InvalidSpecError
from presage.resources.metricprofile import MetricProfile
from presage.resources.metricsource import MetricSource

_SOURCES = {MetricSource.meta.singular, MetricSource.meta.plural, *MetricSource.meta.short_names}


class RenderError(Exception):
    """Nothing can be rendered; the message says what to do.

    Attributes:
        exit_code: Of the command.
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Wanted:
    """Back end and tiers to render.

    Attributes:
        retention: What is rendered.
        missing: Names of tiers that are asked for and have no server.
    """

    retention: Retention
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Objects to go by; each may be missing."""

    source: MetricSource | None = None
    profile: MetricProfile | None = None


def find_wanted(arguments: argparse.Namespace) -> Wanted:
    """Return what the arguments ask for.

    Raises:
        RenderError: If it cannot be found out.
    """
    found = _read_files(arguments.file) if arguments.file else _read_live(arguments)
    given = _parse_tiers(arguments.tiers) if arguments.tiers else None
    names = wanted.find_wanted(found.profile.spec.to_core().recording) if found.profile is not None else None
    if arguments.backend is not None:
        tiers = given if given is not None else tuple(Tier(name, "", 0.0) for name in names or ())
        if not tiers:
            raise RenderError("--backend needs tiers: give --tiers, or a MetricProfile")
        return Wanted(_checked(Retention(arguments.backend, tiers, arguments.default_tier or "")))
    retention = _read_retention(found)
    if arguments.default_tier is not None:
        retention = replace(retention, default=arguments.default_tier)
    if given is not None:
        names = tuple(tier.name for tier in given)
    kept = tuple(tier for tier in retention.tiers if names is None or tier.name in names)
    missing = tuple(name for name in names or () if retention.find(name) is None)
    return Wanted(_checked(replace(retention, tiers=kept), but=retention), missing)


def _read_retention(found: Found) -> Retention:
    if found.source is None:
        what = "a MetricSource, or --backend and --tiers"
        raise RenderError(f"nothing says which back end: give {what}; see presage retention render --help")
    if found.source.spec.retention is None:
        name = found.source.metadata.name
        raise RenderError(f"MetricSource {name} has no spec.retention: give --backend and --tiers, or add it", 1)
    return found.source.spec.retention.to_core()


def _checked(retention: Retention, but: Retention | None = None) -> Retention:
    """Return it if the back end can have it: what a MetricSource's rules say, for what arguments gave."""
    if retention.default and (but or retention).find(retention.default) is None:
        raise RenderError(f"--default-tier {retention.default} is none of the tiers")
    short = [tier.name for tier in retention.tiers if LONG_TIER_NAME.fullmatch(tier.name) is None]
    if retention.backend == "VictoriaMetrics" and short:
        raise RenderError(f"VictoriaMetrics keeps a day at least: {', '.join(short)} must be days or weeks")
    return retention


def _parse_tiers(text: str) -> tuple[Tier, ...]:
    tiers = []
    for part in text.split(","):
        name, _, url = part.strip().partition("=")
        try:
            parse_tier(name)
        except ValueError as error:
            raise RenderError(f"--tiers: {error}") from None
        tiers.append(Tier(name, url, 0.0))
    if len({tier.name for tier in tiers}) < len(tiers):
        raise RenderError("--tiers names a tier twice")
    return tuple(tiers)


def _read_live(arguments: argparse.Namespace) -> Found:
    if arguments.object is None:
        return Found()
    kind, _, name = arguments.object.partition("/")
    try:
        reader = ClusterReader(arguments.context)
        if kind.lower() in _SOURCES and name:
            return Found(MetricSource.parse(reader.find(MetricSource.meta.resource, name)))
        profile = MetricProfile.parse(read_profile(reader, arguments.object, arguments.namespace))
        if arguments.backend is not None:
            return Found(profile=profile)
        return Found(MetricSource.parse(reader.find(MetricSource.meta.resource, profile.spec.source_ref.name)), profile)
    except Absent as error:
        raise RenderError(f"there is no such MetricSource, or no CRD: {error}") from None
    except ReaderError as error:
        raise RenderError(str(error), error.exit_code) from None
    except InvalidSpecError as error:
        raise RenderError(f"{arguments.object} has an invalid spec: {error}") from None


def _read_files(names: list[str]) -> Found:
    found = Found()
    for name in names:
        try:
            documents = list(yaml.safe_load_all(Path(name).read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            raise RenderError(f"{name} cannot be read: {error}") from None
        except yaml.YAMLError:
            raise RenderError(f"{name} is no YAML") from None
        for document in documents:
            found = _take(found, document, name)
    if found == Found():
        raise RenderError(f"{', '.join(names)}: there is no MetricSource and no MetricProfile in it")
    return found


def _take(found: Found, document: object, name: str) -> Found:
    """Return what is found with one more document; other kinds are passed over."""
    kind = document.get("kind") if isinstance(document, Mapping) else None
    try:
        if kind == MetricSource.meta.kind and isinstance(document, Mapping):
            return replace(found, source=MetricSource.parse(document))
        if kind == MetricProfile.meta.kind and isinstance(document, Mapping):
            return replace(found, profile=MetricProfile.parse(document))
    except InvalidSpecError as error:
        raise RenderError(f"{name}: {kind} has an invalid spec: {error}") from None
    return found
