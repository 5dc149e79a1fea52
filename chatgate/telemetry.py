"""Logs and metrics. No number, text, secret or token of a message is ever handed to either.

Rules:

1. A log line carries only fields of ``ALLOWED``; anything else is dropped and its name told under ``dropped``: a
   careless call loses a field instead of leaking one.
2. Of an exception it tells the type and where it happened, not what it says: that may quote the value it stumbled over.
3. Of a line of a library (asyncio, uvicorn, …) it tells the library, the level and the exception: its text may quote
   anything.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

FRAMES = 20
"""Places told of one exception, the innermost ones."""

ALLOWED = frozenset({
    "account_id", "action", "attempt", "cause", "code", "count", "dropped", "effect", "error", "event", "exception",
    "host", "http", "kind", "lane", "level", "message_id", "milliseconds", "name", "node", "outcome", "path", "port",
    "provider", "reason", "request_id", "role", "seconds", "signal", "status", "timestamp", "url", "version", "worker",
})  # fmt: skip


def configure_logs(*, level: str, as_json: bool) -> None:
    """Send structured logs to standard error; call once, from the composition root."""
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_texts,
            only_allowed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()], force=True)


class _Libraries(logging.Handler):
    """Passes on that a library had something to say, and where."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger("libraries")
        log.log(record.levelno, "library.said", name=record.name, exc_info=record.exc_info or None)


def without_texts(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace ``exc_info`` by the types and places of the exception and of those behind it."""
    info = fields.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else sys.exception()
    if info and error is not None:
        fields["exception"] = " <- ".join(_places(each) for each in _chain(error))
    return fields


def only_allowed(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop what is not in ``ALLOWED``, and tell the names of what was dropped."""
    if strangers := sorted(fields.keys() - ALLOWED):
        for name in strangers:
            del fields[name]
        fields["dropped"] = ",".join(strangers)
    return fields


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that it came from, the newest first."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _places(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__, limit=-FRAMES)
    return " | ".join([type(error).__name__, *(f"{each.filename}:{each.lineno} {each.name}" for each in frames)])


class Metrics:
    """The counters of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, help_text: str, *labels: str) -> Counter:
            return Counter(f"chatgate_{name}", help_text, labels, registry=self.registry)

        self.calls = counter("calls", "API calls by operation and answered code", "action", "code")
        self.refused_by_flow_control = counter("flow_control_refusals", "calls refused with System.LimitControl")
        self.accepted = counter("accepted", "messages accepted durably")
        self.attempts = counter("attempts", "attempts by provider and outcome", "provider", "outcome")
        self.overtaken = counter("attempts_overtaken", "attempts whose message had moved on before they ended")
        self.receipts = counter("receipts", "receipts by provider and effect", "provider", "effect")
        self.refused_receipts = counter("receipts_refused", "requests at a receipts address that were no receipts")
        self.settled = counter("settled", "messages settled without a send (ran out, lost, at rest)")
        self.fallbacks = counter("fallbacks", "fallbacks moved by their time: fired, or held")
        self.callbacks = counter("callbacks", "calls of customers' endpoints by result", "result")
        self.clock_jumps = counter("clock_jumps", "times that the machine's clock was set by more than 5 s")
        self.clock_distrusted = Gauge(
            "chatgate_clock_distrusted", "1 while nothing is sent or settled because the clock was set",
            registry=self.registry,
        )  # fmt: skip
        self.accept_seconds = Histogram(
            "chatgate_accept_seconds", "from reading a call to its durable acceptance", registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
        )  # fmt: skip
        self.in_flight = Gauge(
            "chatgate_in_flight", "requests open to a provider", ("provider",), registry=self.registry
        )
        self.waiting = Gauge(
            "chatgate_waiting", "messages in hand for a provider", ("provider",), registry=self.registry
        )
        self.backlog = Gauge("chatgate_backlog", "messages due and claimed by nobody", registry=self.registry)
        self.oldest_due_seconds = Gauge(
            "chatgate_oldest_due_seconds", "age of the oldest due message", registry=self.registry
        )
        self.parked_receipts = Gauge("chatgate_parked_receipts", "receipts without a message", registry=self.registry)

    def page(self) -> bytes:
        """Return the Prometheus text format."""
        return generate_latest(self.registry)
