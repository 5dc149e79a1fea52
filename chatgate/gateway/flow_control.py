"""At most 250 calls of one account in any sliding second (page "Send Viber messages"); a setting, and one per account.

An operation may have a limit of its own beside it (``CALLS_PER_SECOND``): ``SendChatappMassMessage`` 10. That call is
one of the 250, however many receivers it has: the limit is of calls, as Alibaba's is. It guards this server, whose work
for a thousand receivers is bounded by the 10; what a provider takes is guarded by the rate of its lane.

Kept in the memory of the process: its loss costs accuracy for a second, never data. Only calls that are authenticated
and authorized count, so that nobody can use up another's limit. Time is the monotonic clock: a step of the wall clock
must not open or close the gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil

from chatgate.domain.account import AccountView
from chatgate.domain.throttle import SlidingWindow
from chatgate.errors import LIMIT_CONTROL, ApiError

WINDOW = 1_000_000_000
"""One second, in nanoseconds."""

IDLE_WINDOWS = 10_000
"""Windows kept before those unused for a second are dropped; 250 calls are two kilobytes."""


Key = int | tuple[int, str]
"""An account, or an account and one of its operations."""

_NO_LIMITS: Mapping[str, int] = {}


class FlowControl:
    def __init__(
        self, calls_per_second: int, monotonic_ns: Callable[[], int], own_limits: Mapping[str, int] = _NO_LIMITS
    ) -> None:
        """``calls_per_second``: of all calls of an account; ``own_limits``: of operations, by Action."""
        self._default = calls_per_second
        self._monotonic_ns = monotonic_ns
        self._own_limits = own_limits
        self._windows: dict[Key, SlidingWindow] = {}

    def admit(self, account: AccountView, action: str) -> int:
        """Count one call and return its instant, or refuse it and leave nothing.

        :raises ApiError: ``LIMIT_CONTROL`` with ``x-acs-retry-after`` (milliseconds) and the ratelimit headers that the
            SDK generations read.
        """
        now = self._monotonic_ns()
        window = self._window(account.account_id, account.calls_per_second or self._default)
        wait = window.admit(now)
        if wait:
            raise _refusal(window, wait)
        if action in self._own_limits:
            own = self._own(account, action)
            wait = own.admit(now)
            if wait:
                window.take_back(now)
                raise _refusal(own, wait)
        return now

    def take_back(self, account: AccountView, action: str, admitted_at: int) -> None:
        """Give back an admission: the call was a replay."""
        self._window(account.account_id, account.calls_per_second or self._default).take_back(admitted_at)
        if action in self._own_limits:
            self._own(account, action).take_back(admitted_at)

    def _own(self, account: AccountView, action: str) -> SlidingWindow:
        return self._window((account.account_id, action), self._own_limits[action])

    def _window(self, key: Key, limit: int) -> SlidingWindow:
        window = self._windows.get(key)
        if window is None or window.limit != limit:
            if len(self._windows) >= IDLE_WINDOWS:
                self._drop_idle()
            window = self._windows[key] = SlidingWindow(limit, WINDOW)
        return window

    def _drop_idle(self) -> None:
        now = self._monotonic_ns()
        self._windows = {key: window for key, window in self._windows.items() if window.used(now)}


def _refusal(window: SlidingWindow, wait: int) -> ApiError:
    milliseconds = max(1, ceil(wait / 1_000_000))
    state = f"Limit:{window.limit},Remain:0,TimeLeft:{milliseconds}"
    headers = {"x-acs-retry-after": str(milliseconds), "x-ratelimit-user-api": state, "x-ratelimit-user": state}
    return ApiError(LIMIT_CONTROL, headers=headers)
