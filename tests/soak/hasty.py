"""The waits of chatgate, shortened: what takes minutes in earnest happens several times in a run of one.

Only lengths change, and which addresses an endpoint may have. Each keeps its place among the others: a lease is still
longer than the longest send, an endpoint still has less time to answer than its turn's lease lasts.
"""

from __future__ import annotations

from chatgate.callbacks import guard
from chatgate.callbacks.delivery import Delivery
from chatgate.domain import callback, lifecycle, retry
from chatgate.gateway import desk
from chatgate.operations.send_chatapp_message.parameters import PARAMETERS
from chatgate.store import acceptance, turns
from chatgate.workers import lane

SHORTEST = 2
"""Seconds that a Ttl and a FallBackDuration must have here (30 and 60 in earnest)."""

ENDPOINT_ANSWERS_WITHIN = 1.0

LENGTHS: tuple[tuple[object, str, object], ...] = (
    (acceptance, "ACCEPT_LEASE", 3_000),
    (desk, "ACCEPT_LEASE", 3_000),
    (lane, "LEASE_MARGIN", 2_000),
    (lifecycle, "REST_MARGIN", 2_000),
    (retry, "LONGEST", 2_000),
    (callback, "RETRIES", (300,) * 400),
    (turns, "PATIENCE", 120_000),
    (turns, "LONGEST_REST", 1_000),
    (turns, "LEASE", 4_000),
)
"""Module, name, milliseconds."""


def hurry() -> None:
    """Shorten them in this process, before ``main`` runs."""
    for module, name, length in LENGTHS:
        getattr(module, name)  # it is still called that
        setattr(module, name, length)
    for row in PARAMETERS:
        if row.name in ("Ttl", "FallBackDuration"):
            object.__setattr__(row, "minimum", SHORTEST)
    Delivery.__init__.__kwdefaults__ = {**(Delivery.__init__.__kwdefaults__ or {}), "within": ENDPOINT_ANSWERS_WITHIN}
    setattr(guard, "is_public", guard.is_loopback)  # noqa: B010 - mypy must not bless it
