"""What a send may be refused for before its recipient is looked at, in a fixed order.

The order of Viber's own checks is not public; tests rely on this one. The source address is checked before all of
these and the recipient after (``reception``). Not checked, because no status for it is known: the length of a
button's text.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chatgate.simulators.viber import rich_content
from chatgate.simulators.viber.call import Call, text, whole_number
from chatgate.simulators.viber.message_types import FIELDS, Content, Tracking
from chatgate.simulators.viber.statuses import Status
from chatgate.simulators.viber.world import World

TEXT_LIMIT = 1000
"""Characters; code points, as nobody says otherwise."""
TTL_SECONDS = range(30, 1_209_601)
LABELS = frozenset({"transaction", "promotion"})

_NUMBER = re.compile(r"[0-9]{7,15}")

Check = Callable[[Call, World], Status]


def refusal(call: Call, world: World) -> Status:
    """Return the first status that the call earns, ``SUCCESS`` if none."""
    for check in CHECKS:
        if status := check(call, world):
            return status
    return Status.SUCCESS


def _json(call: Call, world: World) -> Status:
    return Status.BAD_DATA if call.malformed else Status.SUCCESS


def _service_known(call: Call, world: World) -> Status:
    return Status.SUCCESS if call.service_id in world.services else Status.BAD_SERVICE_ID


def _service_open(call: Call, world: World) -> Status:
    blocked = call.service_id is not None and world.services[call.service_id].blocked
    return Status.SERVICE_BLOCKED if blocked else Status.SUCCESS


def _type_known(call: Call, world: World) -> Status:
    return Status.BAD_MESSAGE_TYPE if call.type is None else Status.SUCCESS


def _fields(call: Call, world: World) -> Status:
    assert call.type is not None
    fields, body, message = FIELDS[call.type.content], call.body, call.message
    complete = (
        call.seq is not None
        and bool(body.get("dest"))
        and all(text(message.get(key)) for key in fields.message)
        and all(text(body.get(key)) for key in fields.texts)
        and all(whole_number(body.get(key)) is not None for key in fields.numbers)
        and all(body.get(key) is not None for key in fields.objects)
        and (not fields.button or _has_button(call))
    )
    return Status.SUCCESS if complete and _tracking_fits(call) else Status.BAD_PARAMETERS


def _has_button(call: Call) -> bool:
    caption, action = call.message.get("#caption"), call.message.get("#action")
    return isinstance(caption, str) and isinstance(action, str) and bool(caption) == bool(action)


def _tracking_fits(call: Call) -> bool:
    assert call.type is not None
    given = call.message.get("#tracking_data")
    match call.type.tracking:
        case Tracking.REQUIRED:
            return isinstance(given, str)
        case Tracking.FORBIDDEN:
            return given is None
        case Tracking.OPTIONAL:
            return given is None or isinstance(given, str)


def _label(call: Call, world: World) -> Status:
    return Status.SUCCESS if text(call.body.get("label")) in LABELS else Status.BAD_LABEL


def _ttl(call: Call, world: World) -> Status:
    ttl = call.body.get("ttl")
    return Status.SUCCESS if ttl is None or whole_number(ttl) in TTL_SECONDS else Status.INVALID_TTL


def _text(call: Call, world: World) -> Status:
    return Status.BAD_DATA if len(text(call.message.get("#txt"))) > TEXT_LIMIT else Status.SUCCESS


def _media(call: Call, world: World) -> Status:
    return rich_content.media(call)


def _template(call: Call, world: World) -> Status:
    assert call.type is not None
    if call.type.content is not Content.TEMPLATE:
        return Status.SUCCESS
    template = world.template_of(call)
    if template is None or not template.approved:
        return Status.TEMPLATE_NOT_FOUND
    values = call.body.get("templateParams", {})
    if not template.accepts(values):
        return Status.TEMPLATE_VALIDATION_ERROR
    return Status.TIMEOUT if template.lacks_pin(values) else Status.SUCCESS


def _choices(call: Call, world: World) -> Status:
    return rich_content.choices(call)


def _number(call: Call, world: World) -> Status:
    return Status.SUCCESS if _NUMBER.fullmatch(call.number) else Status.INVALID_PHONE_NUMBER


CHECKS: tuple[Check, ...] = (
    _json,  # 3
    _service_known,  # 2
    _service_open,  # 43
    _type_known,  # 5
    _fields,  # 6
    _label,  # 18
    _ttl,  # 20
    _text,  # 3
    _media,  # 28-32
    _template,  # 38, 39, 7
    _choices,  # 40, 41
    _number,  # 27
)
