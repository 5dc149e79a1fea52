"""The checks of SendChatappMessage, in their order.

``STRICT`` and ``LENIENT`` are the order. The first fault is answered; what both sendings check is in ``form``.

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

from chatgate import errors
from chatgate.domain.message import MessageKind, MessageType
from chatgate.errors import ApiError
from chatgate.operations.send_chatapp_message import form as every
from chatgate.operations.send_chatapp_message.form import Form
from chatgate.protocol import strict_json

_KINDS = {kind.value: kind for kind in MessageKind}


def _type(form: Form) -> None:
    form.kind = _KINDS[form.read("Type")]


def _to(form: Form) -> None:
    form.recipient = every.check_number(form.read("To"))


def _message_type(form: Form) -> None:
    if form.kind is MessageKind.MESSAGE:
        form.message_type = MessageType(form.need("MessageType"))


def _body(form: Form) -> None:
    if form.kind is MessageKind.MESSAGE:
        form.content = form.channel.content(form.message_type, _content_keys(form.need("Content")), form.space)
        return
    every.template(form)
    if form.template is not None:
        given = form.read("TemplateParams") or {}
        form.content, form.partner_template = every.filled(form, form.template, given)
        form.message_type = form.template.message_type


def _content_keys(text: str) -> Mapping[str, object]:
    try:
        return strict_json.read_object(text)
    except ValueError as error:
        raise ApiError(errors.CONTENT_ERROR, f"Content is not usable. {error}", param="Content") from None


def _tracking_data(form: Form) -> None:
    form.tracking_data = form.read("TrackingData")


STRICT: tuple[Callable[[Form], None], ...] = (
    every.channel_type,
    _type,
    every.from_,
    _to,
    every.space,
    _message_type,
    every.sender,
    every.fallback_order,
)
LENIENT: tuple[Callable[[Form], None], ...] = (
    every.label,
    _body,
    every.ttl,
    every.tag,
    _tracking_data,
    every.task_id,
)
