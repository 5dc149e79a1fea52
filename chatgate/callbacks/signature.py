"""Signing what the customer is sent, as Standard Webhooks 1.0.0 says: the receiver can tell our calls from forged ones.

``webhook-id`` stays the same over all tries, ``webhook-timestamp`` is that of the try, ``webhook-signature`` is
``v1,`` and base64 of HMAC-SHA256 over ``id.timestamp.body``. Alibaba documents no signature, so nobody is disturbed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

SECRET_PREFIX = "whsec_"


def headers(secret: bytes, callback_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the three headers. ``timestamp`` in seconds; ``secret`` raw, 24 to 64 bytes."""
    signed = f"{callback_id}.{timestamp}.".encode() + body
    digest = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": callback_id, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{digest}"}


def as_text(secret: bytes) -> str:
    """Return a secret as receivers configure it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def purpose(account_id: int) -> str:
    """Return what a sealed signing secret is bound to."""
    return f"accounts|callback_secret|{account_id}"
