"""Signatures as receivers check them: with the library of Standard Webhooks, which shares nothing with ours."""

from __future__ import annotations

import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from chatgate.callbacks import signature

SECRET = bytes(range(32))
BODY = b'[{"MessageId":"61851ccb2f1365b16aee0001","Status":"Delivered","To":"639170000099"}]'


def verify(body: bytes, headers: dict[str, str], secret: bytes = SECRET) -> object:
    return Webhook(signature.as_text(secret)).verify(body, headers)


def test_verified_by_the_receivers_library() -> None:
    headers = signature.headers(SECRET, "msg_1", int(time.time()), BODY)
    assert set(headers) == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert verify(BODY, headers) == [
        {"MessageId": "61851ccb2f1365b16aee0001", "Status": "Delivered", "To": "639170000099"}
    ]


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "body", "secret"])
def test_whatever_is_changed_is_noticed(changed: str) -> None:
    now = int(time.time())
    headers = signature.headers(SECRET, "msg_1", now, BODY)
    other = {"webhook-id": "msg_2", "webhook-timestamp": str(now - 1)}
    body = BODY.replace(b"Delivered", b"Failed") if changed == "body" else BODY
    secret = bytes(32) if changed == "secret" else SECRET
    with pytest.raises(WebhookVerificationError):
        verify(body, headers | {name: value for name, value in other.items() if name == changed}, secret)


def test_an_old_try_is_told_from_a_new_one() -> None:
    """The id stays, the time is that of the try: who replays a recorded call is refused."""
    with pytest.raises(WebhookVerificationError):
        verify(BODY, signature.headers(SECRET, "msg_1", int(time.time()) - 3600, BODY))


def test_purposes_are_apart() -> None:
    assert signature.purpose(1) != signature.purpose(11)
