"""A sending on its way to a draft, and the checks that every sending has: one message or a thousand.

``SendChatappMessage`` and ``SendChatappMassMessage`` say in which order the checks run. ``Form`` keeps what was found
so far. A sender or template that was approved and is now paused or prohibited passes: that message is accepted, and
fails.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from chatgate import errors
from chatgate.channels.base import Channel
from chatgate.domain import fallback, phone
from chatgate.domain import template as templates
from chatgate.domain.account import Sender, Space, Standing, Template
from chatgate.domain.message import (
    Content,
    Draft,
    Failure,
    FallbackOrder,
    Label,
    MessageKind,
    MessageType,
    PartnerTemplate,
    RetryKey,
)
from chatgate.errors import ApiError
from chatgate.operations.base import Call
from chatgate.operations.send_chatapp_message.parameters import CHANNELS, PARAMETERS, SENT_FAILED, UNDELIVERED
from chatgate.protocol import params

# Ours: the codes of the partner name other things.
SENDER_FAILURES = {
    Standing.PAUSED: Failure(code="SenderPaused", reason="The sender is paused."),
    Standing.PROHIBITED: Failure(code="SenderProhibited", reason="The sender is prohibited."),
}
TEMPLATE_FAILURES = {
    Standing.PAUSED: Failure(code="TemplatePaused", reason="The template is paused."),
    Standing.PROHIBITED: Failure(code="TemplateProhibited", reason="The template is prohibited."),
}

_ROWS = {row.name: row for row in PARAMETERS}
_READ = {row.name: row.read for row in PARAMETERS}
_NO_CONTENT = Content()


@dataclass(slots=True)
class Form:
    """Defaults are the neutral values that stay where a lenient check fails."""

    call: Call
    ttl: int
    channel: Channel = field(init=False)
    kind: MessageKind = MessageKind.TEMPLATE
    sender_id: str = field(init=False)
    sender: Sender = field(init=False)
    recipient: str = ""
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
        text = self.call.params.get(name)  # as ``params.value`` does, a call shorter: the hottest line of a call
        return _READ[name](text) if text else params.absent(_ROWS[name])

    def need(self, name: str) -> Any:
        """Return the value of a parameter that this call needs, though not every call does."""
        value = self.read(name)
        if value is None:
            raise ApiError(_ROWS[name].missing, param=name)
        return value

    def draft(self) -> Draft:
        """Return the message of what was found."""
        failure = self.failure or SENDER_FAILURES.get(self.sender.standing)
        if failure is None and self.template is not None:
            failure = TEMPLATE_FAILURES.get(self.template.standing)
        return Draft(
            account_id=self.call.account.account_id,
            space_id=self.space.space_id,
            channel=self.channel.NAME,
            sender=self.sender_id,
            service_id=self.sender.service_id,
            recipient=self.recipient,
            kind=self.kind,
            message_type=self.message_type,
            label=self.label,
            content=self.content,
            ttl=self.ttl,
            template_code=self.template_code,
            language=self.language,
            partner_template=self.partner_template,
            tag=self.tag,
            tracking_data=self.tracking_data,
            task_id=self.task_id,
            fallback=self.fallback,
            failure=failure,
        )

    def retry_key(self, same: str) -> RetryKey | None:
        """Return what makes another call the same call. ``same``: what must be equal beside the TaskId."""
        if self.call.idempotency_key is not None:
            kind, word = "key", self.call.idempotency_key
        elif self.space.retry_by_task and self.task_id is not None:
            kind, word = "task", f"{same}\0{self.task_id}"
        else:
            return None
        business = msgspec.json.encode(sorted(self.call.params.items()))
        return RetryKey(
            key=hashlib.sha256(f"{kind}\0{self.space.space_id}\0{word}".encode()).digest(),
            fingerprint=hashlib.sha256(business).digest(),
        )


def channel_type(form: Form) -> None:
    word = form.call.params.get("ChannelType", "").lower()
    form.channel = CHANNELS.get(word) or CHANNELS[form.read("ChannelType")]  # reading it says what is wrong


def from_(form: Form) -> None:
    form.sender_id = form.read("From")


def check_number(number: str) -> str:
    """Return a recipient's number; refuse what cannot be one."""
    if not phone.is_number(number):
        raise errors.invalid(
            "To", f"To must have {phone.SHORTEST} to {phone.LONGEST} digits and begin with a country code, not with 0."
        )
    return number


def space(form: Form) -> None:
    spaces = form.call.account.spaces
    space_id = form.read("CustSpaceId") or next(iter(spaces), None)
    if space_id is None:
        raise errors.invalid("CustSpaceId", "The account has no space.")
    if space_id not in spaces:
        raise ApiError(errors.NOT_OWNER, param="CustSpaceId")
    form.space = spaces[space_id]


def sender(form: Form) -> None:
    found = form.call.account.senders.get(form.sender_id)
    if found is None or found.channel != form.channel.NAME or not found.standing.was_approved:
        raise errors.invalid("From", "From is not an approved sender of the account.")
    form.sender = found


def fallback_order(form: Form) -> None:
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


def label(form: Form) -> None:
    form.label = form.channel.LABELS[form.read("Label")]


def template(form: Form) -> None:
    form.template_code = form.need("TemplateCode")
    form.language = form.need("Language")
    found = form.call.account.templates.get((form.template_code, form.language))
    if found is None or not found.standing.was_approved:
        raise errors.invalid("TemplateCode", "The account has no approved template of this TemplateCode and Language.")
    form.template = found


def filled(form: Form, chosen: Template, given: Mapping[str, object]) -> tuple[Content, PartnerTemplate | None]:
    """Return a template with its variables filled in: as it is shown, and as the partner knows it."""
    values = {}
    for name in _variables(chosen):
        value = given.get(name)
        if type(value) is str or type(value) is int:
            values[name] = str(value)
        elif value is not None:  # a fraction too: 1.50 would become 1.5
            raise errors.invalid("TemplateParams", f"The value of {name} in TemplateParams must be a string.")
    content = _shown(form, chosen, values)
    partner_id = chosen.partner_ids.get(form.sender.service_id, chosen.partner_id)
    if partner_id is None:
        return content, None
    return content, PartnerTemplate(template_id=partner_id, language=chosen.language, parameters=values)


def _variables(chosen: Template) -> tuple[str, ...]:
    names = templates.variables(chosen.body)
    if chosen.parts is None or chosen.parts.action is None:
        return names
    return tuple(dict.fromkeys(names + templates.variables(chosen.parts.action)))


def _shown(form: Form, chosen: Template, values: Mapping[str, str]) -> Content:
    longest, parts = form.channel.LONGEST_TEXT, chosen.parts
    if parts is None:
        return Content(text=templates.render(chosen.body, values, longest))
    text = templates.render(chosen.body, values, longest) if chosen.body else None
    if parts.action is None:
        return msgspec.structs.replace(parts, text=text)
    action = templates.render(parts.action, values, longest)
    if not form.channel.is_url(action):
        raise errors.invalid("TemplateParams", "With these TemplateParams the button's URL is not one.")
    return msgspec.structs.replace(parts, text=text, action=action)


def ttl(form: Form) -> None:
    form.ttl = fallback.time_to_live(form.read("Ttl"), form.fallback, clamp=form.space.clamp_ttl) or form.ttl


def tag(form: Form) -> None:
    form.tag = form.read("Tag")


def task_id(form: Form) -> None:
    form.task_id = form.read("TaskId")
