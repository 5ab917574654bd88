"""presage.sdk before the conformance kit: `python conformance/run.py python conformance/presage_sdk.py`."""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from presage.core.recording.document import DocumentError, body_of, parse_document, render_document
from presage.sdk.choice import is_in_share
from presage.sdk.document_file import DocumentFile
from presage.sdk.sampler import BlockSampler, derive_seed, splitmix64

Answer = dict[str, Any]


def answer_generator(ask: dict[str, Any]) -> Answer:
    """Return outputs of the generator."""
    state, outputs = int(ask["state"]), []
    for _ in range(ask["draws"]):
        state, output = splitmix64(state)
        outputs.append(str(output))
    return {"outputs": outputs}


def answer_seed(ask: dict[str, Any]) -> Answer:
    """Return the first state of a metric's generator."""
    return {"state": str(derive_seed(int(ask["seed"]), ask["eventType"], ask["metric"]))}


def answer_sampler(ask: dict[str, Any]) -> Answer:
    """Return the numbers of the events that are kept, through all changes of N."""
    kept, number, sampler = [], 0, None
    for part in ask["parts"]:
        every = part["everyEvents"]
        sampler = BlockSampler(every, int(ask["state"])) if sampler is None else sampler.resume(every)
        for _ in range(part["events"]):
            if sampler.keep():
                kept.append(number)
            number += 1
    return {"kept": kept}


def answer_share(ask: dict[str, Any]) -> Answer:
    """Return whether an instance belongs to a share of all."""
    return {"in": is_in_share(ask["instance"], ask["share"])}


def answer_document(ask: dict[str, Any]) -> Answer:
    """Return what a document says, with all defaults, or that it is refused."""
    try:
        read = parse_document(content_of(ask))
    except DocumentError:
        return {"refused": True}
    return {"generation": read.generation, "body": json.loads(body_of(render_document(read.recording, 1)))}


def answer_file(ask: dict[str, Any]) -> Answer:
    """Return the generation in force after each look at a file."""
    found, generation = [], 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "recording.jsonl")
        file = DocumentFile(str(path), lambda kind, text: None)
        for step in ask["steps"]:
            path.unlink(missing_ok=True)
            if step["content"] is not None:
                path.write_bytes(content_of(step["content"]))
            read = file.look(step["at"])
            generation = generation if read is None else read.generation
            found.append(generation)
    return {"inForce": found}


def content_of(given: dict[str, str]) -> bytes:
    """Return the bytes that a question gives, as text or in base 64."""
    return given["text"].encode() if "text" in given else base64.b64decode(given["base64"])


ANSWERS: dict[str, Callable[[dict[str, Any]], Answer]] = {
    "generator": answer_generator,
    "seed": answer_seed,
    "sampler": answer_sampler,
    "share": answer_share,
    "document": answer_document,
    "file": answer_file,
}


def answer(line: str) -> str:
    """Return the answer to one question."""
    ask = json.loads(line)
    return json.dumps(ANSWERS[ask["what"]](ask))


if __name__ == "__main__":
    for question in sys.stdin:
        print(answer(question), flush=True)
