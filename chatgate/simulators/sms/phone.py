"""What the owner of a phone sees: messages, joined from the parts that arrived."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from chatgate.clock import Instant
from chatgate.simulators.sms.records import Part, State


class PhoneMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message on a phone."""

    token: str
    """The id of its last part."""
    sender: str
    text: str
    parts: int
    received_at: Instant
    """When its last missing part arrived, in the time of its sender."""
    status: State
    """What its receipt says: DELIVRD. What is not delivered is not here."""


def inbox(parts: Iterable[Part], senders: Collection[str] | None) -> list[PhoneMessage]:
    """Return what arrived from some senders (``None``: from any), newest first.

    ``parts``: those of one phone, oldest first.
    """
    messages = []
    gathering: dict[tuple[str, str, int, int], dict[int, Part]] = {}
    for part in parts:
        if part.state is not State.DELIVRD or (senders is not None and part.sender not in senders):
            continue
        if part.reference is None:
            messages.append(_join([part]))
            continue
        series = (part.system_id, part.sender, part.reference, part.total)
        gathered = gathering.setdefault(series, {})
        gathered[part.place] = part  # a part that came twice takes the place of the first
        if len(gathered) == part.total:
            messages.append(_join([gathered[place] for place in sorted(gathered)]))
            del gathering[series]
    return sorted(reversed(messages), key=lambda message: message.received_at, reverse=True)


def _join(parts: list[Part]) -> PhoneMessage:
    last = parts[-1]
    return PhoneMessage(
        token=last.token,
        sender=last.sender,
        text="".join(part.text for part in parts),
        parts=len(parts),
        received_at=max(part.done_at or 0 for part in parts),
        status=last.state,
    )
