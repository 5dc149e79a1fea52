"""The contract of a channel: what a legal message is where it is sent.

A module in this folder is one channel. It is pure: it knows no provider, only what the caller wrote and what the
channel can carry. The channels that a call may name in ``ChannelType`` meet ``Channel``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from chatgate.domain.account import Space
from chatgate.domain.message import Content, Label, MessageType


class Channel(Protocol):
    """One value of ``ChannelType``. A module meets it."""

    NAME: str
    """``ChannelType``, lower case."""
    LABELS: Mapping[str, Label]
    """The words that ``Label`` may be."""
    LONGEST_TEXT: int
    """Characters that a text can have."""

    def is_url(self, text: str) -> bool:
        """Whether a text is a URL that a message can carry."""
        ...

    def content(self, message_type: MessageType, given: Mapping[str, object], space: Space) -> Content:
        """Return what ``given``, the decoded ``Content`` of a call, says for a message of this type.

        Raises ApiError when it is not legal.
        """
        ...
