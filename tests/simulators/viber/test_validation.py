"""Every status that a request can earn before its recipient is looked at, and the order of the checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import msgspec
import pytest

from chatgate.simulators.viber.message_types import MESSAGE_TYPES
from tests.simulators.viber.stage import NUMBER, OTP, REJECTED, SERVICE, TEMPLATE, Stage, request

Change = Callable[[dict[str, Any]], object]


def _set(**changes: Any) -> Change:
    def change(body: dict[str, Any]) -> None:
        for key, value in changes.items():
            if value is ...:
                body.pop(key, None)
            else:
                body[key] = value

    return change


def _message(key: str, value: Any) -> Change:
    return lambda body: _set(**{key: value})(body["message"])


def _item(key: str, value: Any) -> Change:
    return lambda body: _set(**{key: value})(body["carousel"]["items"][0])


def _params(**values: Any) -> Change:
    return _set(templateParams={"name": "Ann", "order": "17"} | values)


def _otp(**values: Any) -> Change:
    return _set(templateId="otp", templateParams={"shop": "Shop"} | values)


@pytest.mark.parametrize("type_number", [number for number, kind in MESSAGE_TYPES.items() if not kind.session])
async def test_a_valid_request_of_every_type_is_accepted(stage: Stage, type_number: int) -> None:
    answer = await stage.send(type_number, seq=77)
    assert answer.keys() == {"status", "seq", "message_token"}
    assert (answer["status"], answer["seq"]) == (0, 77)
    assert len(answer["message_token"]) == 19
    assert answer["message_token"].isdigit()


@pytest.mark.parametrize("type_number", [number for number, kind in MESSAGE_TYPES.items() if kind.session])
async def test_a_valid_request_of_every_session_type_is_accepted_in_a_session(stage: Stage, type_number: int) -> None:
    stage.partner.reply(SERVICE, NUMBER, "Hello?")
    answer = await stage.send(type_number)
    assert answer["status"] == 0
    assert len(answer["session_id"]) == 19


ACCEPTED: list[tuple[str, int, Change]] = [
    ("no ttl", 225, _set(ttl=...)),
    ("shortest ttl", 225, _set(ttl=30)),
    ("longest ttl", 225, _set(ttl=1_209_600)),
    ("1000 characters", 225, _message("#txt", "я" * 1000)),
    ("empty tracking data", 225, _message("#tracking_data", "")),
    ("hidden button", 208, lambda body: body["message"].update({"#caption": "", "#action": ""})),
    ("longest file name", 220, _message("#fileName", "a" * 21 + ".pdf")),
    ("file kind in capitals", 220, _set(file_type="PDF")),
    ("largest video", 230, _set(file_size=200 * 1024 * 1024, duration=600)),
    ("value of 125 characters", 1702, _params(name="x" * 125)),
    ("a value too many", 1702, _params(other="x")),
    ("otp with a pin", 1702, _otp(pin="1234")),
    ("no second button", 901, lambda body: body["carousel"]["items"][0].pop("secondaryButton")),
    ("seven digits", 225, _set(dest="1234567")),
    ("fifteen digits", 225, _set(dest="123456789012399")),
    ("a field nobody knows", 225, _set(colour="red")),
    ("the same seq again", 225, _set(seq=0)),
]


@pytest.mark.parametrize(("type_number", "change"), [case[1:] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
async def test_what_is_just_allowed(stage: Stage, type_number: int, change: Change) -> None:
    body = request(type_number)
    change(body)
    for _ in range(2):
        assert msgspec.json.decode((await stage.post(msgspec.json.encode(body))).body)["status"] == 0


REFUSED: list[tuple[str, int, int, Change]] = [
    ("unknown service", 2, 225, _set(service_id=9)),
    ("service as text", 2, 225, _set(service_id=str(SERVICE))),
    ("no service", 2, 225, _set(service_id=...)),
    ("unknown type", 5, 225, _set(type=101)),
    ("type as text", 5, 225, _set(type="225")),
    ("type as a fraction", 5, 225, _set(type=225.5)),
    ("type true", 5, 225, _set(type=True)),
    ("no type", 5, 225, _set(type=...)),
    ("no seq", 6, 225, _set(seq=...)),
    ("seq as text", 6, 225, _set(seq="1")),
    ("no dest", 6, 225, _set(dest=...)),
    ("no message", 6, 225, _set(message=...)),
    ("message as text", 6, 225, _set(message="Hi")),
    ("no text", 6, 225, _message("#txt", ...)),
    ("empty text", 6, 225, _message("#txt", "")),
    ("text as a number", 6, 225, _message("#txt", 5)),
    ("no tracking data", 6, 225, _message("#tracking_data", ...)),
    ("tracking data as a number", 6, 225, _message("#tracking_data", 42)),
    ("tracking data where none may be", 6, 8, _message("#tracking_data", "")),
    ("optional tracking data as a number", 6, 106, _message("#tracking_data", 42)),
    ("no image", 6, 207, _message("#img", ...)),
    ("no button", 6, 208, _message("#caption", ...)),
    ("half a hidden button", 6, 209, _message("#caption", "")),
    ("no file address", 6, 220, _message("#action", ...)),
    ("no file name", 6, 220, _message("#fileName", ...)),
    ("no file kind", 6, 220, _set(file_type=...)),
    ("no thumbnail", 6, 230, _message("#thumbnail", ...)),
    ("no video size", 6, 230, _set(file_size=...)),
    ("no video length", 6, 230, _set(duration=...)),
    ("video length as a fraction", 6, 230, _set(duration=1.5)),
    ("no video text", 6, 231, _message("#txt", ...)),
    ("no caption", 6, 232, _message("#caption", ...)),
    ("no video address", 6, 233, _message("#media", ...)),
    ("no template id", 6, 1702, _set(templateId=...)),
    ("no template language", 6, 1702, _set(templateLang=...)),
    ("no survey", 6, 801, _set(survey=...)),
    ("no carousel", 6, 901, _set(carousel=...)),
    ("no label", 18, 225, _set(label=...)),
    ("wrong label", 18, 225, _set(label="pormotion")),
    ("ttl too short", 20, 225, _set(ttl=29)),
    ("ttl too long", 20, 225, _set(ttl=1_209_601)),
    ("ttl as text", 20, 225, _set(ttl="3600")),
    ("text too long", 3, 225, _message("#txt", "x" * 1001)),
    ("file kind not allowed", 28, 220, _set(file_type="exe")),
    ("file name too long", 29, 220, _message("#fileName", "a" * 22 + ".pdf")),
    ("thumbnail too long", 30, 230, _message("#thumbnail", "https://x/" + "t" * 991)),
    ("video too large", 31, 230, _set(file_size=200 * 1024 * 1024 + 1)),
    ("video of no size", 31, 230, _set(file_size=0)),
    ("video too long", 32, 230, _set(duration=601)),
    ("unknown template", 38, 1702, _set(templateId="none")),
    ("template in another language", 38, 1702, _set(templateLang="uk")),
    ("template not approved", 38, 1702, _set(templateId="rejected", templateParams={"name": "Ann"})),
    ("a value missing", 39, 1702, _set(templateParams={"name": "Ann"})),
    ("no values", 39, 1702, _set(templateParams=...)),
    ("values as a list", 39, 1702, _set(templateParams=["Ann", "17"])),
    ("value as a number", 39, 1702, _params(name=5)),
    ("value too long", 39, 1702, _params(name="x" * 126)),
    ("value with an address", 39, 1702, _params(name="see https://x")),
    ("pin too short", 39, 1702, _otp(pin="123")),
    ("otp without a pin", 7, 1702, _otp()),
    ("list of one", 40, 801, _set(survey={"list_message_ui_type": 1, "options": ["A"]})),
    ("list of eleven", 40, 801, _set(survey={"list_message_ui_type": 2, "options": ["A"] * 11})),
    ("list of an unknown style", 40, 801, _set(survey={"list_message_ui_type": 3, "options": ["A", "B"]})),
    ("list option too long", 40, 801, _set(survey={"list_message_ui_type": 1, "options": ["A", "B" * 51]})),
    ("survey as text", 40, 801, _set(survey="A or B")),
    ("list text too long", 40, 801, _message("#txt", "x" * 86)),
    ("carousel of one", 41, 901, lambda body: body["carousel"]["items"].pop()),
    ("carousel title too short", 41, 901, _item("title", "x")),
    ("carousel item without an image", 41, 901, _item("imageUrl", ...)),
    ("carousel item without a button", 41, 901, _item("primaryButton", ...)),
    ("carousel label too long", 41, 901, _item("primaryButton", {"label": "x" * 11, "actionUrl": "https://x"})),
    ("second button without an address", 41, 901, _item("secondaryButton", {"label": "More"})),
    ("number with a plus", 27, 225, _set(dest="+380501234599")),
    ("number too short", 27, 225, _set(dest="123456")),
    ("number too long", 27, 225, _set(dest="1234567890123456")),
    ("number in another script", 27, 225, _set(dest="٣٨٠٥٠١٢٣٤٥٩٩")),
    ("number as a number", 27, 225, _set(dest=380501234599)),
]


@pytest.mark.parametrize(
    ("status", "type_number", "change"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
async def test_what_is_refused(stage: Stage, status: int, type_number: int, change: Change) -> None:
    body = request(type_number)
    change(body)
    answer = msgspec.json.decode((await stage.post(msgspec.json.encode(body))).body)
    echo = {"seq": body["seq"]} if type(body.get("seq")) is int else {}
    assert answer == {"status": status} | echo
    await stage.pass_time(100_000)
    assert stage.callbacks == []
    assert stage.partner.inbox([SERVICE], NUMBER) == []


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"5", b"null", b'{"service_id":3100', b'{"a":"\xff"}', b'{"a":NaN}', b"[" * 100_000],
    ids=["empty", "open", "list", "number", "null", "torn", "not utf-8", "NaN", "deep"],
)
async def test_what_is_no_json_object(stage: Stage, raw: bytes) -> None:
    assert (await stage.post(raw)).body == b'{"status":3}'


async def test_a_service_blocked_in_the_portal(stage: Stage) -> None:
    stage.partner.register_service(SERVICE, blocked=True)
    assert (await stage.send())["status"] == 43
    stage.partner.register_service(SERVICE, "http://elsewhere.test")
    assert (await stage.send())["status"] == 43
    stage.partner.register_service(SERVICE, blocked=False)
    assert (await stage.send())["status"] == 0


async def test_a_source_address_that_is_not_on_the_list() -> None:
    async with Stage(allowed_peers=["10.0.0.1"]) as stage:
        stage.partner.register_service(SERVICE)
        assert await stage.send(peer="10.0.0.2") == {"status": 401, "seq": 1}
        assert (await stage.send(peer="10.0.0.1"))["status"] == 0


async def test_an_unknown_service_may_register_itself() -> None:
    async with Stage(allow_any_service=True) as stage:
        assert (await stage.send(service_id=9))["status"] == 0
        assert stage.partner.services() == [9]


@dataclass(frozen=True)
class Fault:
    """One thing wrong, at its place in the order."""

    name: str
    status: int
    types: tuple[int, ...]
    change: Change


EVERY = (225, 220, 230, 231, 1702, 801, 901)
IN_ORDER = [
    Fault("address", 401, EVERY, lambda body: None),
    Fault("service", 2, EVERY, _set(service_id=9)),
    Fault("blocked service", 43, EVERY, _set(service_id=3200)),
    Fault("type", 5, EVERY, _set(type=101)),
    Fault("fields", 6, EVERY, _set(dest="")),
    Fault("label", 18, EVERY, _set(label="")),
    Fault("ttl", 20, EVERY, _set(ttl=1)),
    Fault("text", 3, (225, 231, 801, 901), _message("#txt", "x" * 1001)),
    Fault("file kind", 28, (220,), _set(file_type="exe")),
    Fault("file name", 29, (220,), _message("#fileName", "x" * 26)),
    Fault("thumbnail", 30, (230, 231), _message("#thumbnail", "x" * 1001)),
    Fault("video size", 31, (230, 231), _set(file_size=0)),
    Fault("video length", 32, (230, 231), _set(duration=0)),
    Fault("template", 38, (1702,), _set(templateId="none")),
    Fault("value", 39, (1702,), lambda body: body.setdefault("templateParams", {}).update(shop=5)),
    Fault("pin", 7, (1702,), lambda body: body.update(templateId="otp") or body["templateParams"].pop("pin", None)),
    Fault("list", 40, (801,), _set(survey={})),
    Fault("carousel", 41, (901,), _set(carousel={})),
    Fault("number", 27, EVERY, _set(dest="123")),
    Fault("recipient", 9, EVERY, _set(dest="380501234538")),
]
# These replace one another, so that they cannot be wrong together.
EXCLUSIVE = [{"service", "blocked service"}, {"fields", "number"}, {"fields", "recipient"}, {"number", "recipient"}]
EXCLUSIVE += [{"template", "pin"}]


def _pairs() -> list[Any]:
    return [
        pytest.param(first, second, type_number, id=f"{first.name} before {second.name}, {type_number}")
        for first, second in combinations(IN_ORDER, 2)
        for type_number in EVERY
        if type_number in first.types and type_number in second.types and {first.name, second.name} not in EXCLUSIVE
    ]


@pytest.mark.parametrize(("first", "second", "type_number"), _pairs())
async def test_of_two_faults_the_earlier_is_told(first: Fault, second: Fault, type_number: int) -> None:
    async with Stage(allowed_peers=["127.0.0.1"]) as stage:
        for service_id in (SERVICE, 3200):
            stage.partner.register_service(service_id, blocked=service_id == 3200)
            for template in (TEMPLATE, OTP, REJECTED):
                stage.partner.register_template(service_id, template)
        body = request(type_number)
        if type_number == 1702:
            _otp(pin="1234")(body)
        for fault in (second, first):
            fault.change(body)
        peer = "10.0.0.1" if "address" in (first.name, second.name) else "127.0.0.1"
        answer = await stage.post(msgspec.json.encode(body), peer)
        assert msgspec.json.decode(answer.body)["status"] == first.status


async def test_the_address_goes_before_the_json() -> None:
    async with Stage(allowed_peers=[]) as stage:
        assert (await stage.post(b"{")).body == b'{"status":401}'
