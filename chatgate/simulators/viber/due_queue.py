"""What is to be done later, by service and instant. Every service has a time of its own, ahead of the clock by so much.

A heap for each service in its own time, and one heap of their heads in the clock's time, so that moving the time of one
service costs nothing to the others. An entry of the second heap that no longer matches its service's head is skipped.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from chatgate.clock import Instant

Action = Callable[[], object]


class Row:
    """One action and its instant."""

    __slots__ = ("action", "at", "cancelled", "order", "service_id")

    def __init__(self, service_id: int, at: Instant, order: int, action: Action) -> None:
        self.service_id = service_id
        self.at = at
        self.order = order
        self.action = action
        self.cancelled = False

    def __lt__(self, other: Row) -> bool:
        return (self.at, self.order) < (other.at, other.order)


class DueQueue:
    """``ahead(service_id)`` says by how many milliseconds a service is ahead; call ``moved`` when it changes."""

    def __init__(self, ahead: Callable[[int], int]) -> None:
        self._ahead = ahead
        self._rows: dict[int, list[Row]] = {}
        self._heads: list[tuple[Instant, int]] = []
        self._count = 0

    def put(self, service_id: int, at: Instant, action: Action) -> Row:
        """Add an action, due at ``at`` in the service's time. Rows of the same instant keep their order."""
        self._count += 1
        row = Row(service_id, at, self._count, action)
        rows = self._rows.setdefault(service_id, [])
        heapq.heappush(rows, row)
        if rows[0] is row:
            self._show_head(service_id)
        return row

    def cancel(self, row: Row) -> None:
        row.cancelled = True
        self._drop_cancelled(row.service_id)

    def pop(self, now: Instant) -> Action | None:
        """Take the earliest action that is due when the clock shows ``now``."""
        due = self.next_due()
        if due is None or due > now:
            return None
        _, service_id = heapq.heappop(self._heads)
        row = heapq.heappop(self._rows[service_id])
        self._drop_cancelled(service_id)
        self._show_head(service_id)
        return row.action

    def next_due(self, service_id: int | None = None) -> Instant | None:
        """Return the earliest instant, in the clock's time, of one service or of all."""
        if service_id is not None:
            return self._due(service_id)
        while self._heads and self._due(self._heads[0][1]) != self._heads[0][0]:
            heapq.heappop(self._heads)
        return self._heads[0][0] if self._heads else None

    def moved(self, service_id: int | None) -> None:
        """Take note that the time of one service (``None``: of all) was moved."""
        for moved in list(self._rows) if service_id is None else [service_id]:
            self._show_head(moved)

    def _due(self, service_id: int) -> Instant | None:
        rows = self._rows.get(service_id)
        return rows[0].at - self._ahead(service_id) if rows else None

    def _show_head(self, service_id: int) -> None:
        due = self._due(service_id)
        if due is None:
            self._rows.pop(service_id, None)
        else:
            heapq.heappush(self._heads, (due, service_id))

    def _drop_cancelled(self, service_id: int) -> None:
        rows = self._rows.get(service_id, [])
        dropped = False
        while rows and rows[0].cancelled:
            heapq.heappop(rows)
            dropped = True
        if dropped:
            self._show_head(service_id)
