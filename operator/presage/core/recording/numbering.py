"""The generation of a document: it rises with every change of content, whatever was lost in between.

It is the epoch second of the change, or one more than the last where that is higher. So it rises even where nothing
is known of what was there before: a MetricProfile that is deleted and made again, a status restored from a backup.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from presage.core.recording.document import MAX_GENERATION, body_of, render_document
from presage.core.recording.types import Recording


@dataclass(frozen=True, slots=True)
class Numbered:
    """A content and its generation.

    Attributes:
        generation: Of the document.
        digest: Of the document's body.
    """

    generation: int
    digest: str


def digest_document(document: str) -> str:
    """Return what tells two contents apart, whatever their generations."""
    return hashlib.sha256(body_of(document).encode()).hexdigest()


def number_recording(
    recording: Recording, stored: Numbered | None, asked: Numbered | None, others: Iterable[int], now: float
) -> Numbered:
    """Return the generation that a content has, or gets now.

    What was asked for is asked for again as it was, since the copy of what is stored may lag. What is stored counts
    only if nothing later was asked for.

    Args:
        recording: The content wanted.
        stored: What the API server holds, as last seen; None if there is none, or none that can be read.
        asked: What this process asked for last; None before the first time.
        others: Further generations that were given, such as the one in status.
        now: Epoch seconds.
    """
    digest = digest_document(render_document(recording, 1))
    stored_at, asked_at = stored.generation if stored else 0, asked.generation if asked else 0
    if stored is not None and stored.digest == digest and stored_at >= asked_at:
        return stored
    if asked is not None and asked.digest == digest and asked_at >= stored_at:
        return asked
    # One out of range was given by nobody here: nothing could follow it.
    given = [each for each in (stored_at, asked_at, *others) if each < MAX_GENERATION]
    return Numbered(max(max(given) + 1, int(now)), digest)
