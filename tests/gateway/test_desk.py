"""What the desk makes of a store's word."""

from __future__ import annotations

from typing import Any, cast

import pytest

from chatgate.domain.history import Question
from chatgate.domain.review import ReviewMode
from chatgate.errors import ApiError
from chatgate.gateway.desk import Desk
from chatgate.gateway.sender_desk import SenderDesk
from chatgate.gateway.template_desk import TemplateDesk
from chatgate.store.history import TooFarBack
from chatgate.store.store import Store
from chatgate.telemetry import Metrics
from tests.operations.send_chatapp_message.example import MESSAGE, call


class FullStore:
    async def history(self, account_id: int, asked: Question) -> Any:
        raise TooFarBack(f"{account_id}: {asked.index}")


async def nothing() -> None: ...


async def test_a_page_too_far_back_is_told_as_a_validation_code() -> None:
    store = cast(Store, FullStore())
    templates = TemplateDesk(store, lambda _account: None, review=ReviewMode.AUTO, review_delay=0)
    desk = Desk(
        store, (), lambda _lane: None, Metrics(), lambda secret, _purpose: secret, templates, SenderDesk(store),
        nothing, default_ttl=60, callback_batch=1,
    )  # fmt: skip
    asked = Question(channel="viber", sender="1", space_id="s", outbound=True, inbound=True, index=9, size=9)
    with pytest.raises(ApiError, match="narrow them") as refused:
        await desk.history(call(MESSAGE), asked)
    assert (refused.value.code, refused.value.http) == ("InvalidParameter.TimeRange", 200)
