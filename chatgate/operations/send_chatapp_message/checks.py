"""The checks of SendChatappMessage, in their order.

``STRICT`` and ``LENIENT`` are the order. The first fault is answered; ``Form`` keeps what was found so far.

Strict, whatever the call says:

1.  ``ChannelType`` is given; is a channel
2.  ``Type`` is given; is ``template`` or ``message``
3.  ``From`` is given; is digits
4.  ``To`` is given; is digits; is a number
5.  ``CustSpaceId`` is a space of the account
6.  ``MessageType`` is given; is one of nine (with ``Type=message``)
7.  ``From`` is a sender of the account that was approved once
8.  ``FallBackRule``, ``FallBackDuration``, ``FallBackContent``, ``FallBackId``

Lenient where ``FallBackRule=sentFailed`` comes with a fallback, else strict too:

9.  ``Label`` is given; is a label
10. ``Content`` is given; is legal for the message type (with ``Type=message``)
11. ``TemplateCode``, ``Language``, the template they name, ``TemplateParams`` (with ``Type=template``)
12. ``Ttl``
13. ``Tag``
14. ``TrackingData``
15. ``TaskId``

A sender or template that was approved and is now paused or prohibited passes: that message is accepted, and fails.

Source: page "Send Viber messages", above all its ``FallBackRule``. It names no order; this one keeps what
``sentFailed`` leaves strict before the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from chatgate import errors
from chatgate.channels.base import Channel
from chatgate.domain import fallback, phone, template
from chatgate.domain.account import Sender, Space, Template
from chatgate.domain.message import Content, Failure, FallbackOrder, Label, MessageKind, MessageType, PartnerTemplate
from chatgate.errors import ApiError
from chatgate.operations.base import Call
from chatgate.operations.send_chatapp_message.parameters import CHANNELS, PARAMETERS, SENT_FAILED, UNDELIVERED
from chatgate.protocol import params, strict_json

_ROWS = {row.name: row for row in PARAMETERS}
_NO_CONTENT = Content()


@dataclass(slots=True)
class Form:
    """A call on its way to a draft. Defaults are the neutral values that stay where a lenient check fails."""

    call: Call
    ttl: int
    channel: Channel = field(init=False)
    kind: MessageKind = field(init=False)
    sender_id: str = field(init=False)
    sender: Sender = field(init=False)
    recipient: str = field(init=False)
    space: Space = field(init=False)
    message_type: MessageType = MessageType.TEXT
    fallback: FallbackOrder | None = None
    lenient: bool = False
    label: Label = Label.TRANSACTION
    content: Content = _NO_CONTENT
    template_code: str | None = None
    language: str | None = None
    template: Template | None = None
    partner_template: PartnerTemplate | None = None
    tag: str | None = None
    tracking_data: str | None = None
    task_id: str | None = None
    failure: Failure | None = None

    def read(self, name: str) -> Any:
        """Return the value of a parameter, None where it is not given and not required."""
        return params.value(_ROWS[name], self.call.params)

    def need(self, name: str) -> Any:
        """Return the value of a parameter that this call needs, though not every call does."""
        value = self.read(name)
        if value is None:
            raise ApiError(_ROWS[name].missing, param=name)
        return value


def _channel_type(form: Form) -> None:
    word = form.call.params.get("ChannelType", "").lower()
    form.channel = CHANNELS.get(word) or CHANNELS[form.read("ChannelType")]  # reading it says what is wrong


def _type(form: Form) -> None:
    form.kind = MessageKind(form.read("Type"))


def _from(form: Form) -> None:
    form.sender_id = form.read("From")


def _to(form: Form) -> None:
    number = form.read("To")
    if not phone.is_number(number):
        raise errors.invalid(
            "To", f"To must have {phone.SHORTEST} to {phone.LONGEST} digits and begin with a country code, not with 0."
        )
    form.recipient = number


def _space(form: Form) -> None:
    spaces = form.call.account.spaces
    space_id = form.read("CustSpaceId") or next(iter(spaces), None)
    if space_id is None:
        raise errors.invalid("CustSpaceId", "The account has no space.")
    if space_id not in spaces:
        raise ApiError(errors.NOT_OWNER, param="CustSpaceId")
    form.space = spaces[space_id]


def _message_type(form: Form) -> None:
    if form.kind is MessageKind.MESSAGE:
        form.message_type = MessageType(form.need("MessageType"))


def _sender(form: Form) -> None:
    sender = form.call.account.senders.get(form.sender_id)
    if sender is None or sender.channel != form.channel.NAME or not sender.standing.was_approved:
        raise errors.invalid("From", "From is not an approved sender of the account.")
    form.sender = sender


def _fallback(form: Form) -> None:
    """Rule and duration alone mean nothing and harm nothing; policy and content need each other."""
    rule = form.read("FallBackRule") or UNDELIVERED
    duration = form.read("FallBackDuration")
    content = form.read("FallBackContent")
    policy_id = form.read("FallBackId")
    if policy_id is None and content is None:
        return
    if content is None or content.isspace():
        raise errors.invalid("FallBackContent", "FallBackId needs a FallBackContent: the text that is sent instead.")
    if policy_id is None:
        raise errors.invalid("FallBackId", "FallBackContent needs a FallBackId: the policy by which it is sent.")
    policy = form.call.account.policies.get(policy_id)
    if policy is None:
        raise errors.invalid("FallBackId", "FallBackId is not a fallback policy of the account.")
    if not policy.enabled:
        raise ApiError(errors.SMS_NOT_SUPPORTED, param="FallBackId")
    form.fallback = FallbackOrder(
        policy_id=policy_id, content=content, duration=duration, rule=rule, sms_sender=policy.sms_sender,
        consent=form.space.sms_consent, lane=policy.lane,
    )  # fmt: skip
    form.lenient = rule == SENT_FAILED


def _label(form: Form) -> None:
    form.label = form.channel.LABELS[form.read("Label")]


def _body(form: Form) -> None:
    if form.kind is MessageKind.MESSAGE:
        form.content = form.channel.content(form.message_type, _content_keys(form.need("Content")), form.space)
    else:
        _fill_template(form, _choose_template(form))


def _content_keys(text: str) -> Mapping[str, object]:
    try:
        return strict_json.read_object(text)
    except ValueError as error:
        raise ApiError(errors.CONTENT_ERROR, f"Content is not usable. {error}", param="Content") from None


def _choose_template(form: Form) -> Template:
    form.template_code = form.need("TemplateCode")
    form.language = form.need("Language")
    found = form.call.account.templates.get((form.template_code, form.language))
    if found is None or not found.standing.was_approved:
        raise errors.invalid("TemplateCode", "The account has no approved template of this TemplateCode and Language.")
    form.template = found
    return found


def _fill_template(form: Form, chosen: Template) -> None:
    given = form.read("TemplateParams") or {}
    values = {}
    for name in _variables(chosen):
        value = given.get(name)
        if type(value) is str or type(value) is int:
            values[name] = str(value)
        elif value is not None:  # a fraction too: 1.50 would become 1.5
            raise errors.invalid("TemplateParams", f"The value of {name} in TemplateParams must be a string.")
    form.content = _shown(form, chosen, values)
    form.message_type = chosen.message_type
    partner_id = chosen.partner_ids.get(form.sender.service_id, chosen.partner_id)
    if partner_id is not None:
        form.partner_template = PartnerTemplate(template_id=partner_id, language=chosen.language, parameters=values)


def _variables(chosen: Template) -> tuple[str, ...]:
    names = template.variables(chosen.body)
    if chosen.parts is None or chosen.parts.action is None:
        return names
    return tuple(dict.fromkeys(names + template.variables(chosen.parts.action)))


def _shown(form: Form, chosen: Template, values: Mapping[str, str]) -> Content:
    longest, parts = form.channel.LONGEST_TEXT, chosen.parts
    if parts is None:
        return Content(text=template.render(chosen.body, values, longest))
    text = template.render(chosen.body, values, longest) if chosen.body else None
    if parts.action is None:
        return msgspec.structs.replace(parts, text=text)
    action = template.render(parts.action, values, longest)
    if not form.channel.is_url(action):
        raise errors.invalid("TemplateParams", "With these TemplateParams the button's URL is not one.")
    return msgspec.structs.replace(parts, text=text, action=action)


def _ttl(form: Form) -> None:
    form.ttl = fallback.time_to_live(form.read("Ttl"), form.fallback, clamp=form.space.clamp_ttl) or form.ttl


def _tag(form: Form) -> None:
    form.tag = form.read("Tag")


def _tracking_data(form: Form) -> None:
    form.tracking_data = form.read("TrackingData")


def _task_id(form: Form) -> None:
    form.task_id = form.read("TaskId")


STRICT: tuple[Callable[[Form], None], ...] = (
    _channel_type,
    _type,
    _from,
    _to,
    _space,
    _message_type,
    _sender,
    _fallback,
)
LENIENT: tuple[Callable[[Form], None], ...] = (_label, _body, _ttl, _tag, _tracking_data, _task_id)
