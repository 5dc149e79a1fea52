"""The Viber partner's provider, as the tests of its wire build it."""

from __future__ import annotations

from chatgate.providers import viber_partner
from chatgate.providers.base import HttpProvider
from tests.providers import kit

URL = "http://127.0.0.1:1/vibersrvc/1/send_message"
TOKEN = "5379697806260881548"
"""Larger than 2^53: as a float it would end in 000."""


def partner(url: str = URL, reply_timeout: float = 2.0) -> HttpProvider:
    return viber_partner.build("viber", kit.settings(url, "viber_partner", reply_timeout), kit.outbound(reply_timeout))
