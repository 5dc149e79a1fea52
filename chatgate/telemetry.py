"""Logs and metrics. No number, text, secret or token of a message is ever handed to either.

Rule: a log line carries only fields of ``ALLOWED``; anything else is dropped and counted, so that a careless call loses
a field instead of leaking one.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

ALLOWED = frozenset({
    "account_id", "action", "attempt", "cause", "code", "count", "effect", "error", "event", "exception", "host",
    "http", "kind", "lane", "level", "message_id", "milliseconds", "name", "node", "outcome", "path", "port",
    "provider", "reason", "request_id", "role", "seconds", "signal", "status", "timestamp", "url", "version", "worker",
})  # fmt: skip


def configure_logs(*, level: str, as_json: bool) -> None:
    """Send structured logs to standard error; call once, from the composition root."""
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            only_allowed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def only_allowed(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop what is not in ``ALLOWED``; of an exception keep where it happened and its type, not what it says.

    The text of an exception may quote the value it stumbled over.
    """
    exception = fields.get("exception")
    if isinstance(exception, str):
        fields["exception"] = _without_texts(exception)
    for name in [name for name in fields if name not in ALLOWED]:
        del fields[name]
    return fields


def _without_texts(trace: str) -> str:
    kept = []
    for line in trace.splitlines():
        if line.startswith("  File "):
            kept.append(line.strip())
        elif line[:1].isalpha() and not line.startswith("Traceback"):
            kept.append(line.split(":", 1)[0])
    return " | ".join(kept)


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
