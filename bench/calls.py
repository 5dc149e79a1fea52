"""Signed ``SendChatappMessage`` calls as bytes: many accounts, a nonce of its own for each, some 1.2 kB.

Everything is in the query and the body is empty, as the Python SDK sends it; the signature is ``ACS3-HMAC-SHA256``.
Independent of ``chatgate.protocol``. What does not change from call to call is encoded once: signing ahead takes a few
microseconds a call.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from chatgate.sandbox import seeds

ACCOUNTS = 128
"""Each may make 250 calls a second: together more than the gateway can take."""

CALLS_OF_A_SECOND = 6_000
"""Calls that are signed in one second."""

_ALGORITHM = "ACS3-HMAC-SHA256"
_NO_BODY = hashlib.sha256(b"").hexdigest()
_SIGNED = "accept;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
_FIRST_PHONE = 639_170_000_000
_PHONE, _NUMBER = "PHONE", "NUMBER"
"""Stand in the parameters for what changes from call to call."""

_PARAMETERS = {
    "ChannelType": "viber",
    "CustSpaceId": seeds.SPACE,
    "FallBackContent": "Your order is on its way; this is what goes out by SMS.",
    "FallBackDuration": "3600",
    "FallBackId": seeds.POLICY,
    "FallBackRule": "undelivered",
    "From": seeds.SENDER,
    "Label": "transaction",
    "Language": seeds.LANGUAGE,
    "Tag": "orders",
    "TaskId": _NUMBER,
    "TemplateCode": seeds.TEMPLATE,
    "TemplateParams": '{"param1":"Ann Example","param2":"100-2345/7"}',
    "To": _PHONE,
    "TrackingData": f"tracking_id:{_NUMBER}",
    "Ttl": "600",
    "Type": "template",
}


def account(number: int) -> str:
    """Return the name of an account, which is its AccessKeyId too."""
    return f"bench-{number:03}"


def secret(access_key_id: str) -> str:
    return f"secret-of-{access_key_id}-0123456789"


def signed(host: str, count: int) -> Iterator[bytes]:
    """Yield ``count`` calls, over the accounts in turn; no two calls of any two processes share a nonce."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(_PARAMETERS.items()))
    names = [account(number) for number in range(ACCOUNTS)]
    keys = [secret(name).encode() for name in names]
    now = datetime.now(UTC)
    nonce_prefix = secrets.token_hex(8)
    for number in range(count):
        owner = number % ACCOUNTS
        if number % CALLS_OF_A_SECOND == 0:  # signed ahead, as if they had come at the rate that is to be reached
            date = (now - timedelta(seconds=(count - number) // CALLS_OF_A_SECOND)).strftime("%Y-%m-%dT%H:%M:%SZ")
        own = query.replace(_PHONE, str(_FIRST_PHONE + number)).replace(_NUMBER, str(number))
        yield _call(host, own, names[owner], keys[owner], date, f"{nonce_prefix}{number:016x}")


def _call(host: str, query: str, access_key_id: str, key: bytes, date: str, nonce: str) -> bytes:
    headers = (
        f"accept:application/json\nhost:{host}\nx-acs-action:SendChatappMessage\nx-acs-content-sha256:{_NO_BODY}\n"
        f"x-acs-date:{date}\nx-acs-signature-nonce:{nonce}\nx-acs-version:2020-06-06\n"
    )
    canonical = f"POST\n/\n{query}\n{headers}\n{_SIGNED}\n{_NO_BODY}"
    to_sign = f"{_ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    lines = headers.replace("\n", "\r\n")
    return (
        f"POST /?{query} HTTP/1.1\r\n{lines}user-agent:bench\r\ncontent-length:0\r\n"
        f"authorization:{_ALGORITHM} Credential={access_key_id},SignedHeaders={_SIGNED},Signature={signature}\r\n\r\n"
    ).encode()
