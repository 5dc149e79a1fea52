"""What every client is asked to do, and what it made of the answer: the same for all SDKs, of whatever language.

An SDK in another process reads calls as JSON from standard input and writes as many outcomes to standard output.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from tests.e2e.sandbox import SENDER, SPACE, TEMPLATE, Sandbox

TEXT_TO, TEMPLATE_TO = "639170000021", "639170000022"

TEXT: dict[str, object] = {
    "ChannelType": "viber", "Type": "message", "MessageType": "text", "From": SENDER, "To": TEXT_TO,
    "CustSpaceId": SPACE, "Label": "promotion", "Ttl": 60, "Tag": "tag 1/2", "TrackingData": "a=b&c",
    "Content": json.dumps({"text": "Héllo & 'wörld' ~*() 你好 😀+%20", "link": "", "caption": ""}, ensure_ascii=False),
}  # fmt: skip
"""A text with every character that a signature can trip over."""

FILLED: dict[str, object] = {
    "ChannelType": "viber", "Type": "template", "From": SENDER, "To": TEMPLATE_TO, "CustSpaceId": SPACE,
    "Label": "transaction", "TemplateCode": TEMPLATE, "Language": "en",
    "TemplateParams": {"param1": "Ana & Zoë", "param2": "A/7 +1"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """One call by one caller; ``params`` by their names on the wire, objects not yet encoded."""

    endpoint: str
    """``host:port``"""
    access_key_id: str
    secret: str
    params: dict[str, object]
    action: str = "SendChatappMessage"
    security_token: str = ""
    """Of temporary credentials."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the caller's program sees."""

    raised: str | None
    """Name of the exception's class, None when the client returned a body."""
    code: str
    message: str
    request_id: str | None
    http: int | None
    """HTTP status, as far as the client tells."""
    message_id: str | None = None
    retry_after: int | None = None
    """Milliseconds, as far as the client tells."""

    @classmethod
    def returned(cls, body: Mapping[str, str], http: int | None = None) -> Outcome:
        """Return the outcome of a call whose answer the client returned."""
        return cls(None, body["Code"], body["Message"], body["RequestId"], http, body.get("MessageId"))


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials."""

    access_key_id: str
    secret: str
    security_token: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The calls of one client by name, in the order in which they are made."""

    calls: dict[str, Call] = field(default_factory=dict)

    @classmethod
    def of(cls, sandbox: Sandbox, limited: Sandbox, account: str, session: Session) -> Asked:
        """``limited`` allows one call a second; three in a row are more than that. ``session``: of the account, and
        allows messages to ``TEXT_TO`` alone."""
        text = Call(sandbox.host, account, account, TEXT)
        there = replace(text, endpoint=limited.host)
        temporary = replace(
            text, access_key_id=session.access_key_id, secret=session.secret, security_token=session.security_token,
        )  # fmt: skip
        return cls({
            "text": text,
            "temporary": temporary,
            "denied": replace(temporary, params=FILLED),
            "without its token": replace(temporary, security_token=""),
            "template": replace(text, params=FILLED),
            "wrong secret": replace(text, secret="not the secret"),
            "unknown key": replace(text, access_key_id="LTAI5tNobodyHasThisKey00", secret="x"),
            "not valid": replace(text, params=TEXT | {"To": "+639170000021"}),
            "missing": replace(text, params={name: value for name, value in TEXT.items() if name != "To"}),
            "unknown action": replace(text, action="SendChatappMassage"),
            "fast 1": there, "fast 2": there, "fast 3": there,
        })  # fmt: skip

    def as_json(self) -> str:
        return json.dumps([asdict(call) for call in self.calls.values()])

    def outcomes(self, answers: list[Outcome]) -> dict[str, Outcome]:
        return dict(zip(self.calls, answers, strict=True))


def outcomes_from(text: str) -> list[Outcome]:
    return [Outcome(**fields) for fields in json.loads(text)]
