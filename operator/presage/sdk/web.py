"""Middleware: each HTTP request is an event, for servers that speak WSGI or ASGI.

The attributes are `method` and `route`; the request's event is handed to the application under `presage.event`, so
that it can measure dependencies or say what the route really is. Status 500 and above is an error, and so is an
exception that reaches the middleware.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from types import TracebackType
from typing import Any

from presage.sdk.events import Event
from presage.sdk.instruments import EventType

EVENT = "presage.event"
MAX_QUEUE_S = 3600.0
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Environ = MutableMapping[str, Any]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
WsgiApp = Callable[[Any, Any], Iterable[bytes]]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def first_segment(path: str) -> str:
    """Return the part of a path that names the route in most services: `/order` of `/order/17/items`."""
    return "/" + path.lstrip("/").partition("/")[0]


class WsgiMiddleware:
    """Measures a WSGI application: `app = WsgiMiddleware(app, telemetry.event("order"))`.

    An event ends when the server has closed the answer, so that streams are measured whole.
    """

    def __init__(self, app: WsgiApp, event_type: EventType, route: Callable[[str], str] = first_segment) -> None:
        """Args: app: what is measured; event_type: of each request; route: makes the attribute from the path."""
        self._app = app
        self._event_type = event_type
        self._route = route

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        route = _name_route(self._route, environ.get("PATH_INFO", ""), self._event_type)
        event = self._event_type.measure(method=_method(environ.get("REQUEST_METHOD", "")), route=route)
        environ[EVENT] = event.__enter__()
        _describe(event, environ.get("CONTENT_LENGTH"), environ.get("HTTP_X_REQUEST_START"))

        def start(status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None) -> Any:
            if status[:1] == "5":
                event.fail()
            return start_response(status, headers) if exc_info is None else start_response(status, headers, exc_info)

        try:
            return _Answer(self._app(environ, start), event)
        except BaseException as problem:
            event.__exit__(type(problem), problem, None)
            raise


class _Answer:
    """The application's answer; its end is the event's."""

    def __init__(self, parts: Iterable[bytes], event: Event) -> None:
        self._parts = parts
        self._event: Event | None = event

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._parts
        except Exception as problem:
            self._end(problem)
            raise

    def close(self) -> None:
        """Close the application's answer, and end the event; called by the server."""
        try:
            close = getattr(self._parts, "close", None)
            if close is not None:
                close()
        finally:
            self._end(None)

    def _end(self, problem: BaseException | None) -> None:
        event, self._event = self._event, None
        if event is not None:
            event.__exit__(None if problem is None else type(problem), problem, None)


class AsgiMiddleware:
    """Measures an ASGI application: `app = AsgiMiddleware(app, telemetry.event("order"))`; HTTP only."""

    def __init__(self, app: AsgiApp, event_type: EventType, route: Callable[[str], str] = first_segment) -> None:
        """Args: app: what is measured; event_type: of each request; route: makes the attribute from the path."""
        self._app = app
        self._event_type = event_type
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope.get("type") != "http":
            await self._app(scope, receive, send)
            return
        route = _name_route(self._route, scope.get("path", ""), self._event_type)
        with self._event_type.measure(method=_method(scope.get("method", "")), route=route) as event:
            headers: Mapping[bytes, bytes] = dict(scope.get("headers") or ())
            size, started = headers.get(b"content-length"), headers.get(b"x-request-start")
            _describe(event, _text(size), _text(started))
            scope[EVENT] = event

            async def send_and_see(message: MutableMapping[str, Any]) -> None:
                if message.get("type") == "http.response.start" and message.get("status", 0) >= 500:
                    event.fail()
                await send(message)

            await self._app(scope, receive, send_and_see)


def _describe(event: Event, content_length: str | None, request_start: str | None) -> None:
    """Take from the headers what they say of size and waiting; headers may be anything."""
    if content_length and content_length.isdecimal() and len(content_length) < 16:
        event.payload(int(content_length))
    if request_start:
        try:
            waited = time.time() - float(request_start.removeprefix("t="))
        except ValueError:
            return
        if 0 <= waited < MAX_QUEUE_S:
            event.queued(waited)


def _name_route(route: Callable[[str], str], path: str, event_type: EventType) -> str:
    try:
        return route(path)
    except Exception as problem:  # noqa: BLE001  # a route that cannot be named is no reason to answer 500
        event_type.report(problem)
        return "unknown"


def _method(name: str) -> str:
    """Return the method, or `other`: clients may invent methods without end."""
    return name if name in _METHODS else "other"


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
