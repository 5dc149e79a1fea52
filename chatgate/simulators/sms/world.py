"""All that the centre knows. It changes only by records, so that reading the journal again gives the same world.

The centre is not a database: beyond ``keep_parts`` the oldest part that has nothing left to tell (looked for among the
oldest hundred) is forgotten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from chatgate.simulators.sms.records import Part, PartAccepted, PartDone, ReceiptSettled, Record, TimeAdvanced

KEEP_PARTS = 100_000


class World:
    """Read it freely; change it by ``apply``."""

    def __init__(self, keep_parts: int = KEEP_PARTS) -> None:
        self.parts: dict[str, Part] = {}
        """By token, oldest first."""
        self.phones: defaultdict[str, list[Part]] = defaultdict(list)
        """By number, oldest first."""
        self._ahead: dict[str | None, int] = {}
        self._keep_parts = keep_parts

    def ahead(self, sender: str) -> int:
        """Return by how many milliseconds the time of a sender is ahead of the clock."""
        return self._ahead.get(None, 0) + self._ahead.get(sender, 0)

    def apply(self, record: Record) -> None:
        """Take note of one record. A record about something forgotten changes nothing."""
        match record:
            case PartAccepted(part=part):
                self._accept(part)
            case PartDone(token=token) if token in self.parts:
                done = self.parts[token]
                done.state, done.done_at = done.fate, record.at
            case ReceiptSettled(token=token) if token in self.parts:
                self.parts[token].told = True
            case TimeAdvanced(sender=sender, milliseconds=milliseconds):
                self._ahead[sender] = self._ahead.get(sender, 0) + milliseconds
            case _:
                pass

    def records(self) -> Iterator[Record]:
        """Return the records from which the same world can be built: the journal without its history."""
        for sender, ahead in self._ahead.items():
            yield TimeAdvanced(sender=sender, milliseconds=ahead)
        for part in self.parts.values():
            yield PartAccepted(part=part)

    def _accept(self, part: Part) -> None:
        self.parts[part.token] = part
        self.phones[part.number].append(part)
        if len(self.parts) > self._keep_parts:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        for part in islice(self.parts.values(), 100):
            if part.settled:
                del self.parts[part.token]
                self.phones[part.number].remove(part)
                if not self.phones[part.number]:
                    del self.phones[part.number]
                return
