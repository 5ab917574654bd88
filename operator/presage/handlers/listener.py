"""kopf in a thread and an event loop of its own, so that its end is not ours.

kopf ends when a watch is refused or its CRD is gone, and then cancels every task of its event loop. So it gets one to
itself, and hands each event over to ours. It is started anew by whoever calls `listen` again.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterable

import aiohttp
import kopf

from presage.adapters.tls import explain_tls
from presage.handlers.registry import Observer, build_registry
from presage.handlers.settings import build_settings
from presage.reconcile.kind import AnyKind
from presage.reconcile.ports import Json
from presage.runtime.intake import Intake

_JOIN_S = 3.0


class Listener:
    """Runs kopf.

    Args:
        kinds: All kinds.
        intake: Takes the events, on the event loop that calls `listen`.
        strict_certificates: Whether the formal rules of RFC 5280 hold for kopf's connection.
    """

    def __init__(self, kinds: Iterable[AnyKind], intake: Intake, *, strict_certificates: bool) -> None:
        self._kinds = tuple(kinds)
        self._intake = intake
        self._strict = strict_certificates

    async def listen(self) -> str:
        """Hand over events until kopf ends; return why it did.

        Raises:
            Exception: If it ended for no reason outside of this process, which is a defect.
        """
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[BaseException | None] = loop.create_future()
        stop = threading.Event()

        def hand_over(kind: AnyKind, change: str | None, body: Json) -> None:
            with contextlib.suppress(RuntimeError):  # our loop is closed: the process ends
                loop.call_soon_threadsafe(self._intake.observe, kind, change, body)

        def finish(error: BaseException | None) -> None:
            if not ended.done():
                ended.set_result(error)

        def run() -> None:
            error = _run_kopf(self._kinds, hand_over, stop, strict_certificates=self._strict)
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(finish, error)

        thread = threading.Thread(target=run, name="kopf", daemon=True)
        thread.start()
        try:
            return explain_end(await ended)
        finally:
            stop.set()
            await asyncio.to_thread(thread.join, _JOIN_S)


def _run_kopf(
    kinds: Iterable[AnyKind], hand_over: Observer, stop: threading.Event, *, strict_certificates: bool
) -> BaseException | None:
    """Run kopf in the calling thread until it ends or is stopped; return its error."""

    async def operate() -> None:
        try:
            await kopf.operator(
                registry=build_registry(kinds, hand_over, strict_certificates=strict_certificates),
                settings=build_settings(),
                standalone=True,
                clusterwide=True,
                stop_flag=stop,
            )
        finally:
            stop.set()  # a thread of kopf's own waits for it

    try:
        asyncio.run(operate())
    except Exception as error:  # noqa: BLE001  # handed to `explain_end`, which raises what it does not know
        return error
    return None


def explain_end(error: BaseException | None) -> str:
    """Say why kopf ended, in words that stay the same while the cause does.

    Raises:
        BaseException: The error itself, if its cause is not outside of this process.
    """
    if error is None:
        return "kopf ended by itself"
    status, said = getattr(error, "status", None), getattr(error, "message", None)
    if status is not None:
        return f"presage's own kinds cannot be watched: {said or f'the API server answers {status}'}"
    if not isinstance(error, OSError | aiohttp.ClientError) and not type(error).__module__.startswith("kopf."):
        raise error
    why = explain_tls(error) or f"{type(error).__name__}"
    return f"presage's own kinds cannot be watched: {why}"
