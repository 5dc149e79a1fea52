"""A template with a picture, video, file or button: the message is what the template shows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chatgate.channels import viber_template
from chatgate.domain.account import Standing, Template
from chatgate.domain.message import Content, Draft, MessageType, PartnerTemplate
from chatgate.errors import ApiError
from chatgate.operations import send_chatapp_message as operation
from tests.channels.test_viber_template import LEGAL
from tests.operations.send_chatapp_message.example import ACCOUNT, SENT_FAILED, TEMPLATE, TTL, call

VALUES = '{"name":"Ann","no":"7"}'


def draft(template: Template, values: str = VALUES, **changes: str) -> Draft:
    account = msgspec.structs.replace(ACCOUNT, templates={("c", "en"): template})
    asked = {**TEMPLATE, "TemplateCode": "c", "TemplateParams": values, **changes}
    return operation.compose(msgspec.structs.replace(call(asked), account=account), TTL)[0]


def template(message_type: MessageType, **more: Any) -> Template:
    made = viber_template.read(LEGAL[message_type][0])
    return Template(
        template_code="c", language="en", name="order", body=made.body, message_type=made.message_type,
        parts=made.parts, standing=Standing.APPROVED, **more,
    )  # fmt: skip


@pytest.mark.parametrize("message_type", MessageType)
def test_each_shape(message_type: MessageType) -> None:
    made = draft(template(message_type))
    expected = LEGAL[message_type][1] or Content()
    text = "Hello Ann, order 7 has left." if "text" in message_type else None
    action = "https://shop.example.com/7" if expected.action else None
    assert made.content == msgspec.structs.replace(expected, text=text, action=action)
    assert (made.message_type, made.partner_template) == (message_type, None)


def test_a_variable_of_the_url_needs_a_value() -> None:
    for values in ("{}", '{"name":"Ann"}'):
        with pytest.raises(ApiError, match="no value") as refused:
            draft(template(MessageType.TEXT_BUTTON), values)
        assert refused.value.code == "InvalidParameter.TemplateParams"


def test_a_variable_of_the_url_alone() -> None:
    parts = Content(caption="Track", action="https://shop.example.com/$(ref)?x=1")
    alone = msgspec.structs.replace(template(MessageType.TEXT_BUTTON), body="Your order has left.", parts=parts)
    made = draft(alone, '{"ref":7}')
    assert made.content == Content(
        text="Your order has left.", caption="Track", action="https://shop.example.com/7?x=1"
    )


@pytest.mark.parametrize("value", ["a b", "x" * 980, "\n", "7\t"])
def test_a_value_that_makes_no_url(value: str) -> None:
    values = msgspec.json.encode({"name": "Ann", "no": value}).decode()
    with pytest.raises(ApiError) as refused:
        draft(template(MessageType.TEXT_BUTTON), values)
    assert refused.value.code == "InvalidParameter.TemplateParams"
    made = draft(template(MessageType.TEXT_BUTTON), values, **SENT_FAILED)  # lenient: accepted, and it fails
    assert made.failure is not None
    assert (made.failure.code, made.content) == ("InvalidParameter.TemplateParams", Content())


def test_a_value_cannot_leave_the_host() -> None:
    made = draft(template(MessageType.TEXT_BUTTON), '{"name":"Ann","no":"@evil.example/"}')
    assert made.content.action == "https://shop.example.com/@evil.example/"


@pytest.mark.parametrize(
    ("ids", "sent_as"),
    [
        ({}, None),
        ({"partner_id": "all"}, "all"),
        ({"partner_ids": {"s-27549": "own"}}, "own"),
        ({"partner_id": "all", "partner_ids": {"s-27549": "own"}}, "own"),
        ({"partner_ids": {"s-1": "theirs"}}, None),
        ({"partner_id": "all", "partner_ids": {"s-1": "theirs"}}, "all"),
    ],
)
def test_the_partners_template_belongs_to_a_sender(ids: dict[str, Any], sent_as: str | None) -> None:
    made = draft(template(MessageType.TEXT_BUTTON, **ids))
    parameters = {"name": "Ann", "no": "7"}
    expected = sent_as and PartnerTemplate(template_id=sent_as, language="en", parameters=parameters)
    assert made.partner_template == expected
