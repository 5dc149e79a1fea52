from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatgate.errors import SettingError
from chatgate.outbound import Outbound
from chatgate.providers import smpp
from chatgate.providers.base import Provider, ProviderSettings, UnreadableReceipt
from chatgate.providers.smpp import options
from chatgate.wire import HttpRequest


def settings(url: str = "smpp://smsc.example", **own: Any) -> ProviderSettings:
    return ProviderSettings(kind="smpp", url=url, receipts_secret="unused", options={"system_id": "gate"} | own)


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("smpp://smsc.example", "smsc.example", 2775, False),
        ("smpp://smsc.example:9000/", "smsc.example", 9000, False),
        ("smpps://smsc.example", "smsc.example", 3550, True),
        ("smpps://[::1]:4000", "::1", 4000, True),
    ],
)
def test_urls(url: str, host: str, port: int, tls: bool) -> None:
    target = options.read("sms", settings(url))
    assert (target.host, target.port, target.tls is not None) == (host, port, tls)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "smsc.example:2775",
        "http://smsc.example:80",
        "smpp://",
        "smpp://:2775",
        "smpp://user:pass@smsc.example",
        "smpp://smsc.example:70000",
        "smpp://smsc.example:x",
        "smpp://smsc.example/path",
        "smpp://smsc.example?x=1",
        "smpp://[::1",
        "smpp://a b",
    ],
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(SettingError, match=r"providers\.sms\.url"):
        options.read("sms", settings(url))


@pytest.mark.parametrize(
    ("own", "named"),
    [
        ({"system_id": ""}, "system_id"),
        ({"system_id": "sixteencharacter"}, "system_id"),
        ({"system_id": "gäte"}, "system_id"),
        ({"password": "a\0b"}, "password"),
        ({"password": 7}, "password"),
        ({"system_type": "thirteenchars"}, "system_type"),
        ({"source_ton": 7}, "source_ton"),
        ({"destination_npi": -1}, "destination_npi"),
        ({"receipt_id": "octal"}, "receipt_id"),
        ({"data_coding": 3}, "data_coding"),
        ({"enquire_link": 0}, "enquire_link"),
        ({"pasword": "typing error"}, "pasword"),
    ],
)
def test_options_that_are_wrong(own: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingError, match=named):
        options.read("sms", settings(**own))


def test_a_system_id_is_needed() -> None:
    with pytest.raises(SettingError, match="system_id"):
        options.read("sms", ProviderSettings(kind="smpp", url="smpp://x", receipts_secret="unused"))


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_must_be_one(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingError, match="ca_file"):
        options.read("sms", settings("smpps://smsc.example", ca_file=str(file)))


async def test_the_kind_carries_sms_and_takes_no_receipts_over_http() -> None:
    provider: Provider = smpp.build("sms", settings(), Outbound(connect_timeout=1, reply_timeout=1))
    assert frozenset({"sms"}) == smpp.CHANNELS
    assert provider.name == "sms"
    with pytest.raises(UnreadableReceipt):
        provider.read_receipts(HttpRequest(method="POST", path="/receipts/sms/unused"))
    await provider.close()  # never opened: a node that only takes calls
