from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chatgate.domain.message import Content, Draft, Label, MessageKind, MessageType
from chatgate.domain.routing import Route, lane

DRAFT = Draft(
    account_id=1, space_id="space-1", channel="viber", sender="27549", service_id="s", recipient="639170000001",
    kind=MessageKind.MESSAGE, message_type=MessageType.TEXT, label=Label.PROMOTION, content=Content(text="x"), ttl=30,
)  # fmt: skip


def route(provider: str = "p", **conditions: Any) -> Route:
    return Route(**{"channel": "viber", "providers": (provider,), **conditions})


@pytest.mark.parametrize(
    ("conditions", "matches"),
    [
        ({}, True),
        ({"channel": "sms"}, False),
        ({"sender": "27549"}, True),
        ({"sender": "2754"}, False),
        ({"sender": ""}, False),
        ({"country": "63"}, True),
        ({"country": "639170000001"}, True),
        ({"country": "62"}, False),
        ({"country": "163"}, False),
        ({"space": "space-1"}, True),
        ({"space": "space-2"}, False),
        ({"sender": "27549", "country": "63", "space": "space-1"}, True),
        ({"sender": "27549", "country": "63", "space": "space-2"}, False),
        ({"sender": "27549", "country": "7", "space": "space-1"}, False),
        ({"sender": "1", "country": "63", "space": "space-1"}, False),
    ],
)
def test_matches(conditions: dict[str, str], matches: bool) -> None:
    assert route(**conditions).matches(DRAFT) == matches


def test_the_first_route_that_matches() -> None:
    routes = [route("sms", channel="sms"), route("ph", country="63"), route("rest"), route("never")]
    assert lane(routes, DRAFT) == "ph"
    assert lane(routes, msgspec.structs.replace(DRAFT, recipient="4917000000")) == "rest"
    assert lane(routes, msgspec.structs.replace(DRAFT, channel="sms")) == "sms"
    assert lane(routes, msgspec.structs.replace(DRAFT, channel="line")) is None
    assert lane([], DRAFT) is None


def test_the_preferred_provider() -> None:
    assert lane([route(providers=("first", "second"))], DRAFT) == "first"
