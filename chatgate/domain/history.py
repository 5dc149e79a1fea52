"""What an account may ask of its past, and what it is shown: messages that went out, and replies that came in."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chatgate.clock import Instant
from chatgate.domain.message import Message, Status
from chatgate.domain.receipt import Reply


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of which part of the past; every condition given must hold."""

    channel: str
    """The sender's."""
    sender: str
    """``From`` of the messages; of replies, whom they answer."""
    space_id: str
    """The space of the messages. Replies belong to none; they are asked for by ``inbound`` alone."""
    outbound: bool
    inbound: bool
    number: str | None = None
    """The phone: the recipient of a message, the writer of a reply."""
    template_code: str | None = None
    """Of messages only."""
    group: str | None = None
    """GroupMessageId; of messages only."""
    statuses: frozenset[Status] | None = None
    """Of messages only."""
    since: Instant = 0
    until: Instant | None = None
    """Both ends included."""
    index: int
    """1, 2, …"""
    size: int
    """Entries on a page."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One message or one reply."""

    public_id: str
    at: Instant
    """When chatgate took it; what ``since`` and ``until`` are compared with."""
    what: Message | Reply
    template_name: str | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page, newest first."""

    entries: Sequence[Entry]
    total: int | None
    """How many entries answer the question, on all pages; None: more than are counted."""
