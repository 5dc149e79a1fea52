"""One account with the sandbox's seeds and some of everything else, and two good calls."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from chatgate.domain.account import AccountView, FallbackPolicy, Sender, Space, Standing, Template
from chatgate.domain.message import Draft
from chatgate.errors import ApiError
from chatgate.operations import send_chatapp_message as operation
from chatgate.operations.base import Call

SPACE = "282514865123580001"
CODE = "744c4b5c79c9432497a075bdfca30001"
TTL = 86_400


def template(code: str, standing: Standing, partner_id: str | None = None, language: str = "en") -> Template:
    body = "Hello $(param1), your order $(param2) is on its way."
    return Template(
        template_code=code, language=language, name="order", body=body, standing=standing, partner_id=partner_id
    )


TEMPLATES = [
    template(CODE, Standing.APPROVED),
    template("partner", Standing.APPROVED, partner_id="p-77"),
    template("paused", Standing.PAUSED),
    template("prohibited", Standing.PROHIBITED),
    template("pending", Standing.PENDING),
    template("rejected", Standing.REJECTED),
]

ACCOUNT = AccountView(
    account_id=7,
    name="sandbox",
    subscribed=True,
    calls_per_second=None,
    loaded_at=0,
    spaces={
        SPACE: Space(space_id=SPACE),
        "tasks": Space(space_id="tasks", retry_by_task=True),
        "sdk": Space(space_id="sdk", video_button_action=True),
        "sdk2": Space(space_id="sdk2"),
    },
    senders={
        "27549": Sender(sender="27549", channel="viber", service_id="s-27549", standing=Standing.APPROVED),
        "1": Sender(sender="1", channel="viber", service_id="s-1", standing=Standing.PAUSED),
        "2": Sender(sender="2", channel="viber", service_id="s-2", standing=Standing.PROHIBITED),
        "3": Sender(sender="3", channel="viber", service_id="s-3", standing=Standing.PENDING),
        "4": Sender(sender="4", channel="viber", service_id="s-4", standing=Standing.REJECTED),
        "5": Sender(sender="5", channel="sms", service_id="s-5", standing=Standing.APPROVED),
    },
    templates={(each.template_code, each.language): each for each in TEMPLATES},
    policies={
        "S_000001": FallbackPolicy(policy_id="S_000001", name="SMS", sms_sender="ACME"),
        "S_000002": FallbackPolicy(policy_id="S_000002", name="off", sms_sender="ACME", enabled=False),
    },
)

Changes = Mapping[str, str | None]
NO_CHANGES: Changes = {}

MESSAGE = {
    "ChannelType": "viber",
    "Type": "message",
    "MessageType": "text",
    "From": "27549",
    "To": "639170000001",
    "Label": "promotion",
    # The page's own example.
    "Content": '{"text": "hello whatsapp", "link": "", "caption": "", "fileName": "" }',
}
TEMPLATE = {
    "ChannelType": "viber",
    "Type": "template",
    "From": "27549",
    "To": "639170000001",
    "Label": "transaction",
    "TemplateCode": CODE,
    "Language": "en",
    "TemplateParams": '{"param1":"Ann","param2":"7"}',
}
FALLBACK = {"FallBackId": "S_000001", "FallBackContent": "plain text"}
SENT_FAILED = {**FALLBACK, "FallBackRule": "sentFailed"}

URL, THUMBNAIL = "https://cdn.example.com/a", "https://cdn.example.com/t.jpg"


def call(base: Mapping[str, str], changes: Changes = NO_CHANGES, idempotency_key: str | None = None) -> Call:
    given = {**base, **changes}
    return Call(
        request_id="R",
        account=ACCOUNT,
        access_key_id="sandbox",
        params={name: value for name, value in given.items() if value is not None},
        nonce=b"n",
        now=0,
        idempotency_key=idempotency_key,
    )


def draft_of(base: Mapping[str, str], changes: Changes = NO_CHANGES) -> Draft:
    return operation.compose(call(base, changes), TTL)[0]


def refusal_of(base: Mapping[str, str], changes: Changes = NO_CHANGES) -> ApiError:
    with pytest.raises(ApiError) as refusal:
        operation.compose(call(base, changes), TTL)
    return refusal.value
