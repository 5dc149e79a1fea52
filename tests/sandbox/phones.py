"""Phones that show what a test puts on them: messages of the Viber partner and of the SMS centre."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from chatgate.clock import Instant


@dataclass(frozen=True, slots=True)
class OnPhone:
    """One message on a phone, as the simulated partner tells of it."""

    token: str
    received_at: Instant
    service_id: int
    text: str | None = "Hello"
    image: str | None = None
    video: str | None = None
    file: str | None = None
    button: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SmsOnPhone:
    """One SMS on a phone, as the simulated SMS centre tells of it."""

    token: str
    received_at: Instant
    sender: str
    text: str = "Hello by SMS"


class Phones:
    """By number, newest first."""

    def __init__(self) -> None:
        self.shown: dict[str, list[OnPhone]] = {}

    def put(self, number: str, message: OnPhone) -> None:
        self.shown.setdefault(number, []).insert(0, message)

    def inbox(self, service_ids: Collection[int], number: str) -> list[OnPhone]:
        return [message for message in self.shown.get(number, []) if message.service_id in service_ids]


class SmsPhones:
    """By number, newest first."""

    def __init__(self) -> None:
        self.shown: dict[str, list[SmsOnPhone]] = {}

    def put(self, number: str, message: SmsOnPhone) -> None:
        self.shown.setdefault(number, []).insert(0, message)

    def inbox(self, sender_ids: Collection[str], number: str) -> list[SmsOnPhone]:
        return [message for message in self.shown.get(number, []) if message.sender in sender_ids]
