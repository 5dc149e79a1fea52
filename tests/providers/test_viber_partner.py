"""The Viber partner's provider: what holds for every provider, and the settings that it knows."""

from __future__ import annotations

import msgspec
import pytest

from chatgate.errors import SettingError
from chatgate.providers import viber_partner
from chatgate.providers.base import HttpProvider
from tests.providers import kit
from tests.providers.viber import URL, partner


class TestAlways(kit.Always):
    ACCEPTED = b'{"status":0,"seq":1,"message_token":"5379697806260881548"}'

    def provider(self, url: str, reply_timeout: float = 2.0) -> HttpProvider:
        return partner(url, reply_timeout)


@pytest.mark.parametrize("options", [{"max_inflight": 3}, {"token": "x"}])
def test_a_setting_that_does_not_exist_is_refused(options: dict[str, object]) -> None:
    settings = msgspec.structs.replace(kit.settings(URL, "viber_partner"), options=options)
    with pytest.raises(SettingError, match=f"providers.viber: the kind viber_partner has no setting '{min(options)}'"):
        viber_partner.build("viber", settings, kit.outbound())
