"""What the phone of a number shows: Viber messages from the simulated partner, SMS from the simulated SMS centre.

A phone may show a message whose id is not known yet: the partner has it, its reply is being committed. So a message
that has just come is waited for a moment, and its id is null only if the reply was lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, Protocol

from chatgate.clock import Clock, Instant, as_text
from chatgate.sandbox import seeds
from chatgate.store.store import Store

VIBER, SMS = "viber", "sms"
"""Names of the two channels, and of the sandbox's providers for them."""

JUST_COME = 3000
"""Milliseconds for which the id of a message on a phone is waited for."""
LONGEST_WAIT = 2.0
"""Seconds of one look, for all its messages."""
LOOK_EVERY = 0.02
"""Seconds."""


class ViberInbox(Protocol):
    """The phones of the simulated Viber partner."""

    def inbox(self, service_ids: Collection[int], number: str) -> Sequence[Any]: ...


class SmsInbox(Protocol):
    """The phones of the simulated SMS centre."""

    def inbox(self, sender_ids: Collection[str], number: str) -> Sequence[Any]: ...


class Phones:
    """The phones of all numbers, as each account may see them: only what its own senders sent."""

    def __init__(self, store: Store, viber: ViberInbox, sms: SmsInbox, clock: Clock) -> None:
        self._store = store
        self._viber = viber
        self._sms = sms
        self._clock = clock

    async def shown(self, account: str, number: str) -> list[dict[str, object]]:
        """Return what the phone of a number shows of an account's messages over both channels, newest first."""
        arrived = [(VIBER, each) for each in self._viber.inbox([seeds.service_id(account)], number)]
        arrived += [(SMS, each) for each in self._sms.inbox([seeds.sms_sender(account)], number)]
        arrived.sort(key=lambda one: one[1].received_at, reverse=True)
        patience = asyncio.get_running_loop().time() + LONGEST_WAIT
        shown = []
        for channel, message in arrived:
            key = await self._key(channel, message.token, message.received_at, patience)
            message_id = None if key is None else self._store.message_ids.public(key)
            received_at = as_text(message.received_at)
            shown.append(
                {"message_id": message_id, "channel": channel} | _parts(channel, message) | {"received_at": received_at}
            )
        return shown

    async def _key(self, provider: str, token: str, received_at: Instant, patience: float) -> int | None:
        """Return the message behind a token; wait for it, by the loop's clock, when it has just come."""
        while (key := await self._store.find_token(provider, token)) is None:
            just_come = self._clock.now() - received_at < JUST_COME
            if not just_come or asyncio.get_running_loop().time() >= patience:
                return None
            await asyncio.sleep(LOOK_EVERY)
        return key


def _parts(channel: str, message: Any) -> dict[str, object]:
    """Return what is seen of a message. An SMS is text."""
    names = ("image", "video", "file", "button")
    return {"text": message.text} | {name: None if channel == SMS else getattr(message, name) for name in names}
