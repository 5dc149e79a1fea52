"""A desk that takes everything and remembers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chatgate.domain.history import Page, Question
from chatgate.domain.message import Draft, RetryKey
from chatgate.operations.base import Call, Webhook

MESSAGE_ID = "61851ccb2f1365b16aee0001"


class Desk:
    default_ttl = 600
    templates: Any = None
    senders: Any = None
    """Operations of templates and senders are tested with the store (tests/gateway, tests/sdk)."""

    def __init__(self, page: Page | None = None) -> None:
        """``page`` is what the past looks like."""
        self.accepted: list[tuple[Call, Draft, RetryKey | None]] = []
        self.webhooks: list[tuple[Call, Sequence[Webhook]]] = []
        self.asked: list[tuple[Call, Question]] = []
        self._page = page or Page(entries=(), total=0)

    async def accept(self, call: Call, draft: Draft, retry: RetryKey | None) -> str:
        self.accepted.append((call, draft, retry))
        return MESSAGE_ID

    async def set_webhooks(self, call: Call, webhooks: Sequence[Webhook]) -> None:
        self.webhooks.append((call, webhooks))

    async def history(self, call: Call, asked: Question) -> Page:
        self.asked.append((call, asked))
        return self._page
