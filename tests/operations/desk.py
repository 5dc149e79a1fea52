"""A desk that takes everything and remembers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chatgate.domain.history import Page, Question
from chatgate.domain.message import Draft, RetryKey
from chatgate.domain.traffic import Period, Traffic
from chatgate.operations.base import Call, SpaceChange, Webhook

MESSAGE_ID = "61851ccb2f1365b16aee0001"
GROUP_ID = "61851ccb2f1365b16aee0002"


class Desk:
    default_ttl = 600
    templates: Any = None
    senders: Any = None
    """Operations of templates and senders are tested with the store (tests/gateway, tests/sdk)."""

    def __init__(
        self, page: Page | None = None, traffic: Sequence[Traffic] = (), listening: Sequence[Webhook] = ()
    ) -> None:
        """``page`` is what the past looks like, ``traffic`` what went out, ``listening`` who is told."""
        self.accepted: list[tuple[Call, Draft, RetryKey | None]] = []
        self.groups: list[tuple[Call, Sequence[Draft], RetryKey | None]] = []
        self.webhooks: list[tuple[Call, Sequence[Webhook]]] = []
        self.asked: list[tuple[Call, Question]] = []
        self.spaces: list[tuple[Call, SpaceChange]] = []
        self.periods: list[Period] = []
        self._page = page or Page(entries=(), total=0)
        self._traffic = traffic
        self._listening = listening

    async def accept(self, call: Call, draft: Draft, retry: RetryKey | None) -> str:
        self.accepted.append((call, draft, retry))
        return MESSAGE_ID

    async def accept_group(self, call: Call, drafts: Sequence[Draft], retry: RetryKey | None) -> str:
        self.groups.append((call, drafts, retry))
        return GROUP_ID

    async def set_webhooks(self, call: Call, webhooks: Sequence[Webhook]) -> None:
        self.webhooks.append((call, webhooks))

    async def listening(self, call: Call) -> Sequence[Webhook]:
        return self._listening

    async def change_space(self, call: Call, change: SpaceChange) -> Mapping[str, str]:
        self.spaces.append((call, change))
        old = call.account.spaces.get(change.space_id)
        return {**(old.details if old is not None else {}), **(change.details or {})}

    async def traffic(self, call: Call, asked: Period) -> Sequence[Traffic]:
        self.periods.append(asked)
        return self._traffic

    async def history(self, call: Call, asked: Question) -> Page:
        self.asked.append((call, asked))
        return self._page
