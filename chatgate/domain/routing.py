"""Which provider carries a message."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chatgate.domain.message import Draft


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One ``[[routes]]`` section. What is not given matches everything."""

    channel: str
    """`viber` or `sms`."""
    providers: tuple[str, ...]
    """Names of `[providers.NAME]` sections, in order of preference. One, so far."""
    sender: str | None = None
    """From of the call."""
    country: str | None = None
    """Calling code without plus: the beginning of the recipient's number."""
    space: str | None = None
    """CustSpaceId of the call."""

    def matches(self, draft: Draft) -> bool:
        return (
            self.channel == draft.channel
            and (self.sender is None or self.sender == draft.sender)
            and (self.country is None or draft.recipient.startswith(self.country))
            and (self.space is None or self.space == draft.space_id)
        )


def lane(routes: Sequence[Route], draft: Draft) -> str | None:
    """Return the provider of the first route that matches; None when no route does."""
    for route in routes:
        if route.matches(draft):
            return route.providers[0]
    return None
