"""Makes the vectors of the conformance kit: `python -m tests.unit.conformance.vectors` writes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.presage_sdk import ANSWERS
from presage.core.recording.document import render_document
from presage.core.recording.types import Escalation, EventRecording, MetricSettings, Recording, RecordingProfile
from tests.unit.core.recording.test_document import CASES, KEPT, REFUSED, document

FOLDER = Path(__file__).parents[3] / "conformance/vectors"
MAX_CONTENT = 8_000
"""Longest document of a vector; longer ones show nothing more and make the kit heavy."""
SHOULD = {"a name twice", "a name twice, far inside", "half a surrogate pair", "half a surrogate pair in a name"}
"""Cases that readers of some languages cannot see."""

_PROFILE = RecordingProfile("Few", {"latency": MetricSettings(100, ("route",), "15d")})
SMALL = Recording("shop", "orders", {"order": EventRecording(_PROFILE, Escalation(_PROFILE, 0.1, 1.8e9))}, _PROFILE)
OTHER = Recording("shop", "parcels", {}, _PROFILE)
CHANGED = Recording("shop", "orders", {}, _PROFILE)


def render_all() -> dict[str, str]:
    """Return the content of each file."""
    files = {"sampler": [*_generators(), *_samplers()], "document": list(_documents()), "file": list(_files())}
    return {f"{name}.json": _render(vectors) for name, vectors in files.items()}


def _render(vectors: list[dict[str, Any]]) -> str:
    lines = ",\n".join(json.dumps(each, ensure_ascii=True) for each in vectors)
    return f"[\n{lines}\n]\n"


def _vector(name: str, ask: dict[str, Any]) -> dict[str, Any]:
    level = "should" if name in SHOULD else "must"
    return {"name": name, "level": level, "ask": ask, "want": ANSWERS[ask["what"]](ask)}


def _generators() -> Iterator[dict[str, Any]]:
    for state in (0, 1, 1234567, 2**63, 2**64 - 1):
        yield _vector(f"generator from {state}", {"what": "generator", "state": str(state), "draws": 5})
    for seed, event_type, metric in ((0, "order", "latency"), (2**64 - 1, "order", "cpu"), (7, "söka", "größe")):
        ask = {"what": "seed", "seed": str(seed), "eventType": event_type, "metric": metric}
        yield _vector(f"seed of {event_type}/{metric}", ask)
    for instance, share in (
        ("orders-7d9f-x2x", 0.1),
        ("orders-7d9f-abc", 0.5),
        ("pod", 0.0),
        ("pod", 1.0),
        ("pöd", 0.7),
    ):
        yield _vector(f"{instance} of {share}", {"what": "share", "instance": instance, "share": share})


def _samplers() -> Iterator[dict[str, Any]]:
    shapes = {
        "every event": [(1, 10)], "every other": [(2, 40)], "1 in 7": [(7, 200)], "1 in 100": [(100, 5_000)],
        "1 in a billion": [(10**9, 1_000)], "a larger block in the middle of one": [(10, 95), (100, 1_000)],
        "a change between two blocks": [(10, 30), (7, 30)],
        "a change before the first event": [(10, 0), (7, 30)],
        "changes in every place of a block": [(4, n) for n in range(20)],
        "a smaller block": [(100, 250), (10, 100), (1, 5), (100, 300)],
    }  # fmt: skip
    for name, parts in shapes.items():
        given = [{"everyEvents": every, "events": events} for every, events in parts]
        yield _vector(name, {"what": "sampler", "state": "16045690984503098046", "parts": given})


def _documents() -> Iterator[dict[str, Any]]:
    yield _vector("as presage writes it", {"what": "document", **_content(render_document(SMALL, 7).encode())})
    for cases in (KEPT, REFUSED):
        for name, change in cases.items():
            raw = json.loads(render_document(SMALL, 7).partition("\n")[2])
            change(raw)
            content = document(json.dumps(raw, ensure_ascii=False))
            if len(content) <= MAX_CONTENT:
                yield _vector(name, {"what": "document", **_content(content)})
    for name, (content, _) in CASES.items():
        if len(content) <= MAX_CONTENT:
            yield _vector(name, {"what": "document", **_content(content)})


def _files() -> Iterator[dict[str, Any]]:
    def small(generation: int, recording: Recording = SMALL) -> bytes:
        return render_document(recording, generation).encode()

    shapes: dict[str, list[tuple[float, bytes | None]]] = {
        "never there": [(0, None), (1, None)],
        "comes late": [(0, None), (1, small(3)), (2, small(3))],
        "goes away": [(0, small(3)), (1, None), (2, None), (3, small(4))],
        "half of the next one": [(0, small(3)), (1, small(4)[:-40]), (20, small(4))],
        "rubbish first": [(0, b"\xff\x00"), (20, small(3))],
        "rubbish later": [(0, small(3)), (1, b"[" * 4_000), (20, small(5))],
        "higher generations": [(0, small(3)), (1, small(4)), (2, small(9))],
        "an older one": [(0, small(9)), (1, small(3, CHANGED)), (20, small(9))],
        "an older one that stays": [(0, small(9)), *((at, small(3, CHANGED)) for at in (1, 290, 320))],
        "the same generation, other content": [(0, small(9)), (1, small(9, CHANGED)), (20, small(10, CHANGED))],
        "another MetricProfile": [(0, small(9)), (1, small(2, OTHER))],
    }  # fmt: skip
    for name, steps in shapes.items():
        given = [{"at": at, "content": None if content is None else _content(content)} for at, content in steps]
        yield _vector(name, {"what": "file", "steps": given})


def _content(content: bytes) -> dict[str, str]:
    try:
        return {"text": content.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


if __name__ == "__main__":
    for file, text in render_all().items():
        (FOLDER / file).write_text(text, encoding="utf-8")
