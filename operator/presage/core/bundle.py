"""Put a support bundle together: redact everything, keep it within its size, list what is in it and what is not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from presage.core.redaction import redact_lines, redact_object, redact_text

SCHEMA_VERSION = 1
MAX_TOTAL = 20 * 1024 * 1024
MAX_FILE = 2 * 1024 * 1024
_CUT = "[the beginning was cut]\n"


@dataclass(frozen=True, slots=True)
class Part:
    """One part as it was read: an object or a list of them, or a text. The most important part comes first.

    Attributes:
        name: Path in the bundle.
        content: What was read, with all its secrets.
    """

    name: str
    content: Mapping[str, Any] | Sequence[Mapping[str, Any]] | str


@dataclass(frozen=True, slots=True)
class Omission:
    """Something that is not in the bundle, and why."""

    what: str
    why: str


def compose(
    parts: Iterable[Part], omissions: Iterable[Omission], about: Mapping[str, str], *, max_total: int = MAX_TOTAL
) -> dict[str, bytes]:
    """Return the bundle's files, without secrets; `manifest.json` lists them.

    Args:
        parts: What was read.
        omissions: What could not be read.
        about: What the manifest tells besides, such as the version.
        max_total: Size of all files, in bytes.
    """
    files: dict[str, bytes] = {}
    left_out = list(omissions)
    room = max_total
    for part in parts:
        content, cut = _fit(part.content, min(MAX_FILE, room))
        if cut:
            left_out.append(Omission(part.name, f"{cut} bytes are left out: it is over the limit"))
        if content:
            files[part.name] = content
            room -= len(content)
    return {"manifest.json": _build_manifest(files, left_out, about), **files}


def _fit(content: Mapping[str, Any] | Sequence[Mapping[str, Any]] | str, most: int) -> tuple[bytes, int]:
    """Return redacted content of at most so many bytes, and how many were left out."""
    if isinstance(content, str):  # cut first: redaction takes time
        shown, cut = _cut(content, most, from_end=True)
        redacted, grown = _cut(redact_lines(shown.decode()), most, from_end=True)
        return redacted, cut + grown
    clean = redact_object(content) if isinstance(content, Mapping) else [redact_object(each) for each in content]
    return _cut(json.dumps(clean, indent=1, ensure_ascii=False) + "\n", most, from_end=False)


def _cut(text: str, most: int, *, from_end: bool) -> tuple[bytes, int]:
    """Return at most so many bytes, whole lines of them, and how many were left out. Of a log the end is kept."""
    content = text.encode(errors="replace")
    if len(content) <= most:
        return content, 0
    if not from_end:
        kept = content[:most]
        kept = kept[: kept.rfind(b"\n") + 1]
    else:
        room = max(0, most - len(_CUT))
        kept = content[len(content) - room :]
        kept = _CUT.encode() + kept[kept.find(b"\n") + 1 :] if b"\n" in kept else b""
    return kept, len(content) - len(kept)


def _build_manifest(files: Mapping[str, bytes], left_out: Iterable[Omission], about: Mapping[str, str]) -> bytes:
    manifest = {
        "schemaVersion": SCHEMA_VERSION,
        **about,
        "redacted": "Values that are or look secret are replaced; values of foreign annotations and variables, too.",
        "files": [
            {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        ],
        "leftOut": [{"what": redact_text(each.what), "why": redact_text(each.why)} for each in left_out],
    }
    return (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
