"""Every parameter that the SDK can send to an operation of templates or senders is declared."""

from __future__ import annotations

from typing import Any

import pytest
from alibabacloud_cams20200606 import models  # type: ignore[import-untyped]

from chatgate.operations.base import all_operations

OPERATIONS = (
    "CreateChatappTemplate", "ModifyChatappTemplate", "DeleteChatappTemplate", "GetChatappTemplateDetail",
    "ListChatappTemplate", "GetChatappTemplateMetric", "AddAuditViberOpen", "GetViberByRequestNo",
    "GetAuditRequestByTypeUnAudit", "UpdateAuditRequest", "AddAddressRecoverSuspend", "GetViberPauseTimes",
    "ListViberServiceMessage",
)  # fmt: skip
OF_THE_GATEWAY = {"OwnerId", "ResourceOwnerAccount", "ResourceOwnerId"}


class Nested:
    """Stands for a nested object of the SDK."""

    def to_map(self) -> dict[str, object]:
        return {}


@pytest.mark.parametrize("action", OPERATIONS)
def test_every_parameter_is_declared(action: str) -> None:
    request: Any = getattr(models, f"{action}Request")
    lists: dict[str, list[object]] = {"components": []}
    filled = {name: lists.get(name, Nested()) for name in vars(request())}
    assert {row.name for row in all_operations()[action].PARAMETERS} == set(request(**filled).to_map()) - OF_THE_GATEWAY
