"""The provider against the simulated partner, which shares no code with it: what one writes the other takes whole."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from chatgate.clock import SECOND
from chatgate.domain.message import Label, MessageKind, MessageType, Outcome
from chatgate.domain.receipt import News, Receipt, ReceiptStatus, Reply
from chatgate.providers import viber_partner
from chatgate.providers.base import HttpProvider
from chatgate.simulators.viber.app import SEND_PATH, app
from chatgate.simulators.viber.phones import PhoneMessage
from chatgate.simulators.viber.server import Server
from chatgate.simulators.viber.statuses import Status
from chatgate.simulators.viber.switches import Switches
from chatgate.simulators.viber.templates import Template
from chatgate.wire import HttpRequest
from tests.drafts import ACTION, CONTENTS, LINK, NOW, NUMBER, TEMPLATE, TEXT, draft, message
from tests.providers import kit
from tests.simulators.viber.stage import Stage

SERVICE = 3100
REPLY = "Hello"
"""What the partner's user 60 writes."""
BODY = "Hello {{param1}}, your order {{param2}} is on its way."
DAY = 86_400_000


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Stage() as stage:
        stage.partner.register_service(SERVICE)
        stage.partner.register_template(SERVICE, Template(id=TEMPLATE.template_id, language="en", body=BODY))
        yield stage


@pytest.fixture
async def provider(stage: Stage) -> AsyncIterator[HttpProvider]:
    server = await Server.start(app(stage.partner))
    settings = kit.settings(server.url + SEND_PATH, "viber_partner", reply_timeout=0.25)
    provider = viber_partner.build("viber", settings, kit.outbound(settings.reply_timeout))
    yield provider
    await provider.close()
    await server.stop()


async def phone(stage: Stage, number: str = NUMBER) -> PhoneMessage:
    """Let a day pass and return the only message on a phone."""
    await stage.pass_time(DAY)
    (shown,) = stage.partner.inbox([SERVICE], number)
    return shown


# What the phone shows: text, image, video, file, button.
SHOWN: dict[MessageType, tuple[str | None, str | None, str | None, str | None, tuple[str, str] | None]] = {
    MessageType.TEXT: (TEXT, None, None, None, None),
    MessageType.IMAGE: (None, LINK, None, None, None),
    MessageType.VIDEO: (None, None, LINK, None, None),
    MessageType.DOCUMENT: (None, None, None, LINK, None),
    MessageType.TEXT_BUTTON: (TEXT, None, None, None, ("Open", ACTION)),
    MessageType.TEXT_IMAGE_BUTTON: (TEXT, LINK, None, None, ("Open", ACTION)),
    MessageType.TEXT_VIDEO: (TEXT, None, LINK, None, None),
    MessageType.TEXT_VIDEO_BUTTON: (TEXT, None, LINK, None, ("Play", LINK)),
    MessageType.TEXT_IMAGE: (TEXT, LINK, None, None, None),
}


@pytest.mark.parametrize("label", Label)
@pytest.mark.parametrize("message_type", MessageType)
async def test_every_message_type_is_accepted_whole(
    stage: Stage, provider: HttpProvider, message_type: MessageType, label: Label
) -> None:
    sent = message(draft(message_type, label=label, tag="spring", tracking_data="id:42"))
    result = await provider.send(sent, NOW)
    assert (result.outcome, result.code) == (Outcome.SENT, "SRVC_SUCCESS"), result
    shown = await phone(stage)
    button = None if shown.button is None else (shown.button.caption, shown.button.action)
    assert (shown.text, shown.image, shown.video, shown.file, button) == SHOWN[message_type]
    assert (shown.token, shown.label, shown.tracking_data) == (result.token, str(label), "id:42")


async def test_video_with_a_button_of_its_own(stage: Stage, provider: HttpProvider) -> None:
    content = msgspec.structs.replace(CONTENTS[MessageType.TEXT_VIDEO_BUTTON], action=ACTION)
    result = await provider.send(message(draft(MessageType.TEXT_VIDEO_BUTTON, content=content)), NOW)
    assert result.outcome is Outcome.SENT
    shown = await phone(stage)
    assert (shown.video, shown.button and shown.button.action) == (LINK, ACTION)


async def test_template(stage: Stage, provider: HttpProvider) -> None:
    result = await provider.send(message(draft(kind=MessageKind.TEMPLATE, partner_template=TEMPLATE)), NOW)
    assert result.outcome is Outcome.SENT
    shown = await phone(stage)
    assert (shown.type, shown.text) == (1702, "Hello Ann, your order 7 is on its way.")


@pytest.mark.parametrize("text", ["x", "х" * 1000, "👩\u200d👩\u200d👧", '"\\\n\t'])
async def test_text_arrives_as_it_is(stage: Stage, provider: HttpProvider, text: str) -> None:
    content = msgspec.structs.replace(CONTENTS[MessageType.TEXT], text=text)
    assert (await provider.send(message(draft(content=content)), NOW)).outcome is Outcome.SENT
    assert (await phone(stage)).text == text


@pytest.mark.parametrize(("ttl", "passed"), [(30, 0), (30, 29_999), (1_209_600, 0), (120, 119_000)])
async def test_time_to_live_is_one_that_the_partner_takes(
    stage: Stage, provider: HttpProvider, ttl: int, passed: int
) -> None:
    assert (await provider.send(message(draft(ttl=ttl)), NOW + passed)).outcome is Outcome.SENT


@pytest.mark.parametrize(("size", "duration"), [(0.000_001, 1), (200, 600), (None, 0)])
async def test_size_and_duration_are_ones_that_the_partner_takes(
    stage: Stage, provider: HttpProvider, size: float | None, duration: int
) -> None:
    """A template's video has no size, and its duration may be 0."""
    content = msgspec.structs.replace(CONTENTS[MessageType.VIDEO], file_size_mb=size, duration=duration)
    assert (await provider.send(message(draft(MessageType.VIDEO, content=content)), NOW)).outcome is Outcome.SENT


REFUSALS = {
    "30": (Status.INTERNAL_FAILURE, Outcome.DEFERRED),
    "32": (Status.BAD_SERVICE_ID, Outcome.REFUSED),
    "33": (Status.BLOCKED_MESSAGE_TYPE, Outcome.REFUSED),
    "36": (Status.TIMEOUT, Outcome.UNKNOWN),
    "37": (Status.USER_BLOCKED, Outcome.REFUSED),
    "38": (Status.NOT_VIBER_USER, Outcome.REFUSED),
    "39": (Status.NO_SUITABLE_DEVICE, Outcome.REFUSED),
    "40": (Status.UNAUTHORIZED_IP, Outcome.REFUSED),
    "46": (Status.INVALID_PHONE_NUMBER, Outcome.REFUSED),
    "47": (Status.SERVICE_BLOCKED, Outcome.REFUSED),
    "48": (Status.UNAUTHORIZED_IP_V11, Outcome.REFUSED),
}


@pytest.mark.parametrize("ending", REFUSALS)
async def test_refusals_are_read(stage: Stage, provider: HttpProvider, ending: str) -> None:
    status, outcome = REFUSALS[ending]
    result = await provider.send(message(draft(recipient=f"6391700000{ending}")), NOW)
    assert (result.outcome, result.code) == (outcome, viber_partner.STATUSES[status.value][0])


@pytest.mark.parametrize(
    ("ending", "outcome", "code"),
    [
        ("51", Outcome.DEFERRED, "Http503"),
        ("52", Outcome.UNKNOWN, "ReplyLost"),  # it accepts, then resets the connection
        ("53", Outcome.UNKNOWN, "ReplyLost"),  # it hangs
    ],
)
async def test_faults_are_told_apart(
    stage: Stage, provider: HttpProvider, ending: str, outcome: Outcome, code: str
) -> None:
    result = await provider.send(message(draft(recipient=f"6391700000{ending}")), NOW)
    assert (result.outcome, result.code) == (outcome, code)


@pytest.mark.parametrize("as_number", [False, True])
async def test_tokens_of_replies_and_callbacks_are_the_same_text(
    stage: Stage, provider: HttpProvider, as_number: bool
) -> None:
    stage.partner.set_switches(Switches(token_as_number=as_number))
    result = await provider.send(message(draft(recipient="639170000001")), NOW)
    await stage.pass_time(DAY)
    receipts = [each for each in _news(stage, provider) if isinstance(each, Receipt)]
    assert len(receipts) == len(stage.callbacks)
    assert [(each.token, each.status) for each in receipts] == [
        (result.token, ReceiptStatus.DELIVERED),
        (result.token, ReceiptStatus.READ),
    ]
    assert {(each.service_id, each.recipient) for each in receipts} == {(str(SERVICE), "639170000001")}


@pytest.mark.parametrize(
    ("ending", "statuses"),
    [
        ("03", [ReceiptStatus.EXPIRED]),
        ("05", [ReceiptStatus.EXPIRED, ReceiptStatus.READ]),
        ("08", [ReceiptStatus.DELIVERED, ReceiptStatus.SUBSCRIBED]),
        ("09", [ReceiptStatus.DELIVERED, ReceiptStatus.UNSUBSCRIBED]),
    ],
)
async def test_every_callback_is_read(
    stage: Stage, provider: HttpProvider, ending: str, statuses: list[ReceiptStatus]
) -> None:
    await provider.send(message(draft(recipient=f"6391700000{ending}")), NOW)
    await stage.pass_time(DAY)
    news = _news(stage, provider)
    assert [each.status for each in news if isinstance(each, Receipt)] == statuses
    assert len(news) == len(statuses)


async def test_a_reply_is_read(stage: Stage, provider: HttpProvider) -> None:
    sent = message(draft(recipient="639170000060", tracking_data="id:42"))
    assert (await provider.send(sent, NOW)).outcome is Outcome.SENT
    await stage.pass_time(DAY)
    delivered, read, reply = _news(stage, provider)
    statuses = [each.status for each in (delivered, read) if isinstance(each, Receipt)]
    assert statuses == [ReceiptStatus.DELIVERED, ReceiptStatus.READ]
    assert isinstance(reply, Reply)
    assert (reply.provider, reply.service_id, reply.recipient) == ("viber", str(SERVICE), "639170000060")
    assert (reply.text, reply.media, reply.file_name, reply.tracking_data) == (REPLY, None, None, "id:42")
    assert reply.at == stage.callbacks[-1]["time"] * SECOND


def _news(stage: Stage, provider: HttpProvider) -> list[News]:
    """Return what the partner's callbacks say, in their order."""
    bodies = [msgspec.json.encode(told) for told in stage.callbacks]
    requests = [HttpRequest(method="POST", path="/receipts/viber/secret", body=body) for body in bodies]
    return [each for request in requests for each in provider.read_receipts(request)]
