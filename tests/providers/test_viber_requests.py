"""The Viber partner's wire: what is written for each kind of message."""

from __future__ import annotations

from hashlib import blake2b

import msgspec
import pytest

from chatgate.domain.message import Draft, Label, MessageKind, MessageType, Outcome
from tests.drafts import ACTION, CONTENTS, LINK, NOW, NUMBER, TEMPLATE, TEXT, THUMBNAIL, draft, message
from tests.providers.viber import URL, partner


def written(of: Draft, now: int = NOW, id: int = 4242) -> dict[str, object]:
    """Return the body as the partner reads it."""
    request = partner().encode(message(of, id=id), now)
    assert (request.method, request.path) == ("POST", URL)
    assert request.headers == {"content-type": "application/json"}
    body: dict[str, object] = msgspec.json.decode(request.body)
    return body


VIDEO = {"duration": 12, "file_size": 1_572_864}

# What stands in the body besides what every message has: for each message type, by label.
BODIES: dict[MessageType, dict[str, object]] = {
    MessageType.TEXT: {"message": {"#txt": TEXT, "#tracking_data": ""}},
    MessageType.IMAGE: {"type": 207, "message": {"#img": LINK, "#tracking_data": ""}},
    MessageType.TEXT_IMAGE_BUTTON: {
        "type": 208,
        "message": {"#txt": TEXT, "#img": LINK, "#caption": "Open", "#action": ACTION, "#tracking_data": ""},
    },
    MessageType.TEXT_IMAGE: {
        "type": 208,
        "message": {"#txt": TEXT, "#img": LINK, "#caption": "", "#action": "", "#tracking_data": ""},
    },
    MessageType.TEXT_BUTTON: {
        "type": 209,
        "message": {"#txt": TEXT, "#caption": "Open", "#action": ACTION, "#tracking_data": ""},
    },
    MessageType.DOCUMENT: {
        "type": 220,
        "file_type": "pdf",
        "message": {"#fileName": "bill.pdf", "#action": LINK, "#tracking_data": ""},
    },
    MessageType.VIDEO: {
        "type": 230,
        **VIDEO,
        "message": {"#thumbnail": THUMBNAIL, "#action": LINK, "#tracking_data": ""},
    },
    MessageType.TEXT_VIDEO: {
        "type": 231,
        **VIDEO,
        "message": {"#txt": TEXT, "#thumbnail": THUMBNAIL, "#action": LINK, "#tracking_data": ""},
    },
    MessageType.TEXT_VIDEO_BUTTON: {
        "type": 232,
        **VIDEO,
        "message": {"#txt": TEXT, "#thumbnail": THUMBNAIL, "#caption": "Play", "#action": LINK, "#tracking_data": ""},
    },
}

SEQ = int.from_bytes(blake2b((4242).to_bytes(8, "big"), digest_size=8).digest(), "big") >> 11

TEXT_TYPES = {Label.TRANSACTION: 206, Label.PROMOTION: 225}


@pytest.mark.parametrize("label", Label)
@pytest.mark.parametrize("message_type", MessageType)
def test_every_message_type(message_type: MessageType, label: Label) -> None:
    always = {"service_id": 3100, "dest": NUMBER, "seq": SEQ, "label": str(label), "ttl": 120}
    kind = {"type": TEXT_TYPES[label]} if message_type is MessageType.TEXT else {}
    assert written(draft(message_type, label=label)) == always | kind | BODIES[message_type]


@pytest.mark.parametrize("label", Label)
def test_video_with_a_button_of_its_own(label: Label) -> None:
    content = msgspec.structs.replace(CONTENTS[MessageType.TEXT_VIDEO_BUTTON], action=ACTION)
    body = written(draft(MessageType.TEXT_VIDEO_BUTTON, label=label, content=content))
    assert body["type"] == 233
    assert body["message"] == {
        "#txt": TEXT, "#thumbnail": THUMBNAIL, "#caption": "Play", "#media": LINK, "#action": ACTION,
        "#tracking_data": "",
    }  # fmt: skip


def test_template_that_the_partner_knows() -> None:
    body = written(draft(kind=MessageKind.TEMPLATE, partner_template=TEMPLATE, tag="spring", tracking_data="id:42"))
    assert body == {
        "service_id": 3100, "dest": NUMBER, "seq": SEQ, "label": "transaction", "ttl": 120, "tag": "spring",
        "type": 1702, "templateId": "t-1", "templateLang": "en", "templateParams": {"param1": "Ann", "param2": "7"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("label", "template", "kind"),
    [(Label.PROMOTION, TEMPLATE, 225), (Label.PROMOTION, None, 225), (Label.TRANSACTION, None, 206)],
)
def test_template_as_its_text(label: Label, template: object, kind: int) -> None:
    body = written(draft(kind=MessageKind.TEMPLATE, label=label, partner_template=template))
    assert body["type"] == kind
    assert body["message"] == {"#txt": TEXT, "#tracking_data": ""}
    assert not [name for name in body if name.startswith("template")]


@pytest.mark.parametrize(
    ("ttl", "passed", "told"),
    [
        (120, 0, 120),
        (120, 1, 120),  # a begun second counts
        (120, 1000, 119),
        (120, 60_000, 60),
        (120, 89_999, 31),
        (120, 90_000, 30),
        (120, 91_000, 30),  # the partner's minimum, as long as anything is left
        (120, 119_999, 30),
        (30, 0, 30),
        (1_209_600, 0, 1_209_600),
        (1_209_600, 999, 1_209_600),
    ],
)
def test_time_to_live_is_what_is_left(ttl: int, passed: int, told: int) -> None:
    assert written(draft(ttl=ttl), NOW + passed)["ttl"] == told


@pytest.mark.parametrize("message_type", MessageType)
def test_tag_and_tracking_data(message_type: MessageType) -> None:
    body = written(draft(message_type, tag="spring", tracking_data='{"id":42}'))
    assert body["tag"] == "spring"
    assert body["message"]["#tracking_data"] == '{"id":42}'  # type: ignore[index]


@pytest.mark.parametrize(
    ("megabytes", "size"), [(1, 1_048_576), (200, 209_715_200), (0.5, 524_288), (0.000_001, 1), (1.234_567, 1_294_537)]
)
def test_file_size_is_bytes(megabytes: float, size: int) -> None:
    content = msgspec.structs.replace(CONTENTS[MessageType.VIDEO], file_size_mb=megabytes)
    assert written(draft(MessageType.VIDEO, content=content))["file_size"] == size


@pytest.mark.parametrize("service_id", ["1", "3100", "00042", str(2**53 + 1)])
def test_service_id_is_a_whole_number(service_id: str) -> None:
    assert written(draft(service_id=service_id))["service_id"] == int(service_id)


@pytest.mark.parametrize("service_id", ["", "abc", "3100x", "3.5"])
async def test_service_id_that_is_none_is_quarantined(service_id: str) -> None:
    result = await partner().send(message(draft(service_id=service_id)), NOW)
    assert (result.outcome, result.code) == (Outcome.REFUSED, "Quarantined")


def test_seq_is_one_of_its_own_for_every_message() -> None:
    """Keys of neighbours differ in a few bits only, and where they differ is not always at the end."""
    keys = [moment << 22 | node << 12 | place for moment in range(500) for node in (0, 3) for place in (0, 1)]
    seqs = {written(draft(), id=key)["seq"] for key in keys}
    assert len(seqs) == len(keys)
    assert all(isinstance(seq, int) and 0 <= seq < 2**53 for seq in seqs)
    assert written(draft(), id=7)["seq"] == written(draft(), id=7)["seq"]


def test_text_is_sent_as_it_is() -> None:
    text = 'quotes " and \\, \u2028, 👩\u200d👩\u200d👧, Кирилл\nline'
    body = written(draft(content=msgspec.structs.replace(CONTENTS[MessageType.TEXT], text=text)))
    assert body["message"] == {"#txt": text, "#tracking_data": ""}
