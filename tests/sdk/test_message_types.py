"""All nine message types through the newest SDK, and what the phone then shows of each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.sandbox import SENDER, SPACE, Sandbox, new_account
from tests.sdk import python5
from tests.sdk.calls import Call

pytestmark = pytest.mark.xdist_group("sdk")

IMAGE, VIDEO = "https://cdn.example.com/a%20b.png?x=1&y=2", "https://cdn.example.com/v.mp4"
THUMBNAIL, FILE, SHOP = (
    "https://cdn.example.com/t.jpg",
    "https://cdn.example.com/f.pdf",
    "https://shop.example.com/?q=1",
)

UNUSED = {"text": "", "link": "", "caption": "", "fileName": "", "action": ""}
"""The documentation's own example fills the keys that a type does not use with empty strings."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One message type: its content, and the phone's view where it differs from an empty one."""

    content: dict[str, object]
    shows: dict[str, object]


FILM: dict[str, object] = {"link": VIDEO, "thumbnail": THUMBNAIL, "fileSize": 12.5, "duration": 30}
FILM_IN_STRINGS: dict[str, object] = FILM | {"fileSize": "12.5", "duration": "30"}
BUTTON = {"caption": "Öffnen", "action": SHOP}

KINDS = {
    "text": Kind({"text": "two\nlines"}, {"text": "two\nlines"}),
    "image": Kind({"link": IMAGE}, {"image": IMAGE}),
    "video": Kind(FILM, {"video": VIDEO}),
    "document": Kind({"link": FILE, "fileName": "Menü.pdf", "fileType": "pdf"}, {"file": FILE}),
    "text_button": Kind({"text": "hi", **BUTTON}, {"text": "hi", "button": BUTTON}),
    "text_image_button": Kind(
        {"text": "hi", "link": IMAGE, **BUTTON}, {"text": "hi", "image": IMAGE, "button": BUTTON}
    ),
    "text_video": Kind({"text": "hi", **FILM_IN_STRINGS}, {"text": "hi", "video": VIDEO}),
    "text_video_button": Kind(
        {"text": "hi", "caption": "Watch", **FILM},
        {"text": "hi", "video": VIDEO, "button": {"caption": "Watch", "action": VIDEO}},
    ),
    "text_image": Kind({"text": "hi", "link": IMAGE}, {"text": "hi", "image": IMAGE}),
}
NUMBERS = {kind: f"63917000{n}00" for n, kind in enumerate(KINDS, 10)}
"""They end in 00: such a phone takes whatever it gets."""


@pytest.fixture(scope="module")
def phones(sandbox: Sandbox) -> dict[str, list[dict[str, Any]]]:
    """What the phones show after one message of each type, each to a number of its own."""
    account = new_account()
    calls = [Call(sandbox.host, account, account, _params(name, kind)) for name, kind in KINDS.items()]
    outcomes = python5.run(calls)
    for outcome in outcomes:
        assert outcome.code == "OK", outcome
        assert outcome.message_id
        sandbox.delivered(outcome.message_id, account)
    return {name: sandbox.phone(NUMBERS[name], account) for name in KINDS}


@pytest.mark.parametrize("name", KINDS)
def test_phone_shows_it(name: str, phones: dict[str, list[dict[str, Any]]]) -> None:
    [message] = phones[name]
    empty = dict.fromkeys(("text", "image", "video", "file", "button"))
    assert {part: message[part] for part in empty} == empty | KINDS[name].shows


def _params(name: str, kind: Kind) -> dict[str, object]:
    return {
        "ChannelType": "viber", "Type": "message", "MessageType": name, "From": SENDER, "To": NUMBERS[name],
        "CustSpaceId": SPACE, "Label": "transaction", "Content": json.dumps(UNUSED | kind.content),
    }  # fmt: skip
