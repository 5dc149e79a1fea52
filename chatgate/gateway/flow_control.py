"""At most 250 calls of one account in any sliding second (page "Send Viber messages"); a setting, and one per account.

Kept in the memory of the process: its loss costs accuracy for a second, never data. Only calls that are authenticated
and authorized count, so that nobody can use up another's limit. Time is the monotonic clock: a step of the wall clock
must not open or close the gate.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from chatgate.domain.account import AccountView
from chatgate.domain.throttle import SlidingWindow
from chatgate.errors import LIMIT_CONTROL, ApiError

WINDOW = 1_000_000_000
"""One second, in nanoseconds."""

IDLE_WINDOWS = 10_000
"""Windows kept before those unused for a second are dropped; 250 calls are two kilobytes."""


class FlowControl:
    def __init__(self, calls_per_second: int, monotonic_ns: Callable[[], int]) -> None:
        self._default = calls_per_second
        self._monotonic_ns = monotonic_ns
        self._windows: dict[int, SlidingWindow] = {}

    def admit(self, account: AccountView) -> int:
        """Count one call and return its instant, or refuse it and leave nothing.

        :raises ApiError: ``LIMIT_CONTROL`` with ``x-acs-retry-after`` (milliseconds) and the ratelimit headers that the
            SDK generations read.
        """
        window = self._window(account)
        now = self._monotonic_ns()
        wait = window.admit(now)
        if wait:
            milliseconds = max(1, ceil(wait / 1_000_000))
            state = f"Limit:{window.limit},Remain:0,TimeLeft:{milliseconds}"
            headers = {
                "x-acs-retry-after": str(milliseconds), "x-ratelimit-user-api": state, "x-ratelimit-user": state,
            }  # fmt: skip
            raise ApiError(LIMIT_CONTROL, headers=headers)
        return now

    def take_back(self, account: AccountView, admitted_at: int) -> None:
        """Give back an admission: the call was a replay."""
        self._window(account).take_back(admitted_at)

    def _window(self, account: AccountView) -> SlidingWindow:
        limit = account.calls_per_second or self._default
        window = self._windows.get(account.account_id)
        if window is None or window.limit != limit:
            if len(self._windows) >= IDLE_WINDOWS:
                self._drop_idle()
            window = self._windows[account.account_id] = SlidingWindow(limit, WINDOW)
        return window

    def _drop_idle(self) -> None:
        now = self._monotonic_ns()
        self._windows = {key: window for key, window in self._windows.items() if window.used(now)}
