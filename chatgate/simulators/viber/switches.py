"""Ways for the partner to misbehave, set at run time, for all services or for one. A restart puts them back."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""How often, from 0 (never) to 1 (always)."""


class Switches(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The defaults are the partner behaving."""

    down: bool = False
    """Every send gets HTTP 503 and is not accepted."""
    latency: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Milliseconds between acceptance and answer."""
    refuse_duplicate_seq: bool = False
    """A ``seq`` that the service used before gets status 12."""
    unauthorized_status: Literal[401, 11] = 401
    """Answer to a source address that is not on the list."""
    token_on_errors: bool = False
    """A refusal carries a ``message_token`` too."""
    token_as_number: bool = False
    """``message_token`` is a JSON number, in answers and callbacks."""
    early: Share = 0.0
    """The first callback of a message arrives before the send is answered."""
    reordered: Share = 0.0
    """The callbacks of a message come in the opposite order."""
    duplicated: Share = 0.0
    """A callback is sent twice."""
    lost: Share = 0.0
    """A callback is never sent."""


class SwitchBoard:
    """Which switches hold for which service. A service that has its own ignores the common ones."""

    def __init__(self) -> None:
        self._common = Switches()
        self._own: dict[int, Switches] = {}

    def of(self, service_id: int | None) -> Switches:
        """Return what holds for a service; with ``None``, what holds for all others."""
        if service_id is None or not self._own:
            return self._common
        return self._own.get(service_id, self._common)

    def set(self, switches: Switches, service_id: int | None = None) -> None:
        if service_id is None:
            self._common = switches
        else:
            self._own[service_id] = switches

    def clear(self, service_id: int) -> None:
        """Let a service follow the common switches again."""
        self._own.pop(service_id, None)
