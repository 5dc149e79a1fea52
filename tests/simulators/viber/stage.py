"""A partner on a clock moved by hand, a receiver of its callbacks, and a valid request of every type."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from chatgate.clock import HandClock
from chatgate.simulators.viber.message_types import MESSAGE_TYPES, Content, Tracking
from chatgate.simulators.viber.partner import ViberPartner
from chatgate.simulators.viber.reception import Answer
from chatgate.simulators.viber.scripts import Timing
from chatgate.simulators.viber.templates import Template
from chatgate.simulators.viber.world import World

SERVICE = 3100
NUMBER = "380501234599"
PEER = "127.0.0.1"
URL = "http://receiver.test/receipts"
TIMING = Timing(delivery=(1000, 1000), seen=(2000, 2000), reply=(500, 500))

TEMPLATE = Template(id="welcome", language="en", body="Hello {{name}}, your order {{ order }} is ready.")
OTP = Template(id="otp", language="en", body="Code {{pin}} for {{shop}}.", otp=True)
REJECTED = Template(id="rejected", language="en", body="Hello {{name}}.", approved=False)

_MESSAGES: dict[Content, dict[str, Any]] = {
    Content.TEXT: {"message": {"#txt": "Hi"}},
    Content.TEMPLATE: {
        "templateId": "welcome",
        "templateLang": "en",
        "templateParams": {"name": "Ann", "order": "17"},
    },
    Content.IMAGE: {"message": {"#img": "https://x/y.png"}},
    Content.IMAGE_TEXT_BUTTON: {
        "message": {"#txt": "Sale", "#img": "https://x/y.png", "#caption": "Open", "#action": "https://x"}
    },
    Content.TEXT_BUTTON: {"message": {"#txt": "Sale", "#caption": "Open", "#action": "https://x"}},
    Content.FILE: {"file_type": "pdf", "message": {"#action": "https://x/a.pdf", "#fileName": "a.pdf"}},
    Content.VIDEO: {"message": {"#action": "https://x/v.mp4"}},
    Content.VIDEO_TEXT: {"message": {"#txt": "Look", "#action": "https://x/v.mp4"}},
    Content.VIDEO_TEXT_BUTTON: {"message": {"#txt": "Look", "#caption": "Play", "#action": "https://x/v.mp4"}},
    Content.VIDEO_TEXT_LINK: {
        "message": {"#txt": "Look", "#media": "https://x/v.mp4", "#caption": "Open", "#action": "https://x"}
    },
    Content.LIST: {"message": {"#txt": "Which?"}, "survey": {"list_message_ui_type": 1, "options": ["A", "B"]}},
    Content.CAROUSEL: {
        "message": {},
        "carousel": {
            "items": [
                {
                    "title": "Shoes",
                    "imageUrl": "https://x/1.png",
                    "primaryButton": {"label": "Buy", "actionUrl": "https://x/1"},
                    "secondaryButton": {"label": "More", "actionUrl": "https://x/1/more"},
                },
                {
                    "title": "Hats",
                    "imageUrl": "https://x/2.png",
                    "primaryButton": {"label": "Buy", "actionUrl": "https://x/2"},
                },
            ]
        },
    },
}


def request(type_number: int = 225, /, **changes: Any) -> dict[str, Any]:
    """Return a valid request of a type. Changes are top-level fields; ``...`` removes one."""
    message_type = MESSAGE_TYPES[type_number]
    body: dict[str, Any] = {
        "service_id": SERVICE,
        "dest": NUMBER,
        "seq": 1,
        "type": type_number,
        "label": "promotion",
        **copy.deepcopy(_MESSAGES[message_type.content]),
    }
    if message_type.tracking is Tracking.REQUIRED:
        body["message"]["#tracking_data"] = "id:42"
    if message_type.content.startswith("video"):
        body |= {"file_size": 1000, "duration": 10}
        body["message"]["#thumbnail"] = "https://x/t.png"
    body |= changes
    return {key: value for key, value in body.items() if value is not ...}


class Stage:
    """The partner and what came of it."""

    def __init__(self, journal: Path | None = None, **settings: Any) -> None:
        self.clock = settings.pop("clock", None) or HandClock()
        self.callbacks: list[dict[str, Any]] = []
        self.urls: list[str] = []
        self.answer: Callable[[], int] = lambda: 200
        self.partner = ViberPartner(
            clock=self.clock,
            journal=journal,
            random=Random(settings.pop("seed", 1)),
            callback_url=settings.pop("callback_url", URL),
            timing=settings.pop("timing", TIMING),
            post=self._receive,
            **settings,
        )

    async def __aenter__(self) -> Stage:
        await self.partner.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.partner.stop()

    async def _receive(self, url: str, body: bytes) -> int:
        self.urls.append(url)
        self.callbacks.append(msgspec.json.decode(body))
        await asyncio.sleep(0)
        return self.answer()

    async def post(self, body: bytes, peer: str = PEER) -> Answer:
        return await self.partner.send(body, peer, asyncio.Event().wait)

    async def send(self, type_number: int = 225, /, peer: str = PEER, **changes: Any) -> dict[str, Any]:
        """Send a request that is answered in JSON and return the answer."""
        answer = await self.post(msgspec.json.encode(request(type_number, **changes)), peer)
        assert answer.status == 200
        return dict(msgspec.json.decode(answer.body))

    async def pass_time(self, milliseconds: int) -> None:
        """Let the clock move, stopping wherever something is due."""
        end = self.clock.now() + milliseconds
        await self.partner.run_due()
        while (due := self.partner.next_due()) is not None and due <= end:
            self.clock.set(max(due, self.clock.now()))
            await self.partner.run_due()
        self.clock.set(end)

    @property
    def world(self) -> World:
        """All that the partner knows, for tests of its memory."""
        return self.partner._world

    @property
    def statuses(self) -> list[int | str]:
        """``message_status`` of the callbacks so far; the text of replies."""
        return [told.get("message_status", told.get("message", {}).get("text")) for told in self.callbacks]
