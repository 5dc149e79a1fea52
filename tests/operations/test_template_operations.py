"""What the operations of templates refuse, each with its own code."""

from __future__ import annotations

from types import ModuleType

import pytest

from chatgate.errors import ApiError
from chatgate.operations import (
    create_chatapp_template,
    delete_chatapp_template,
    get_chatapp_template_detail,
    get_chatapp_template_metric,
    list_chatapp_template,
    modify_chatapp_template,
)
from tests.operations.desk import Desk
from tests.operations.send_chatapp_message.example import Changes, call

OPERATIONS = [
    create_chatapp_template, modify_chatapp_template, delete_chatapp_template, get_chatapp_template_detail,
    list_chatapp_template, get_chatapp_template_metric,
]  # fmt: skip

BASE = {
    "Name": "order", "TemplateCode": "c", "TemplateType": "VIBER", "Language": "en", "Category": "UTILITY",
    "Components": '[{"Type":"BODY","Text":"Hi"}]', "Start": "0", "End": "1",
}  # fmt: skip


class Nothing:
    """A desk without templates."""

    async def find(self, *_: object) -> None:
        return None

    remove = find


@pytest.mark.parametrize(
    ("operation", "changes", "code"),
    [
        *((operation, {"CustSpaceId": "theirs"}, "Unknown.ResourceOwnerId") for operation in OPERATIONS),
        *(
            (operation, {"TemplateType": "WHATSAPP"}, "InvalidParameter.TemplateTypeNotSupport")
            for operation in OPERATIONS
        ),
        *((operation, {"Language": "xx"}, "InvalidParameter.LanguageNotSupport") for operation in OPERATIONS),
        *(
            (operation, {"TemplateCode": None}, "InvalidParameter.TemplateCodeNotEmpty")
            for operation in (modify_chatapp_template, delete_chatapp_template, get_chatapp_template_detail)
        ),
        (create_chatapp_template, {"TemplateType": None}, "MissingTemplateType"),
        (create_chatapp_template, {"Name": None}, "MissingName"),
        (create_chatapp_template, {"Name": "a\nb"}, "InvalidParameter.Name"),
        (create_chatapp_template, {"Name": "x" * 513}, "InvalidParameter.Name"),
        (create_chatapp_template, {"Category": None}, "MissingCategory"),
        (create_chatapp_template, {"Components": None}, "MissingComponents"),
        (create_chatapp_template, {"Components": "{}"}, "InvalidParameter.Components"),
        (create_chatapp_template, {"Components": "[" + " " * 32_767 + "]"}, "InvalidParameter.Components"),
        (create_chatapp_template, {"Example": "[]"}, "InvalidParameter.Example"),
        (create_chatapp_template, {"Example": "{" + " " * 32_767 + "}"}, "InvalidParameter.Example"),
        (create_chatapp_template, {"MessageSendTtlSeconds": "29"}, "InvalidParameter.MessageSendTtlSeconds"),
        (modify_chatapp_template, {"Language": None}, "MissingLanguage"),
        (modify_chatapp_template, {}, "InvalidParameter.TemplateCode"),
        (delete_chatapp_template, {"TemplateType": None}, "MissingTemplateType"),
        (get_chatapp_template_detail, {}, "DetailError.TemplateNotExist"),
        (list_chatapp_template, {"Page": "x"}, "InvalidParameter.PageInvalid"),
        (list_chatapp_template, {"Page": '{"Size":101}'}, "InvalidParameter.PageInvalid"),
        (list_chatapp_template, {"Page": '{"Index":0}'}, "InvalidParameter.PageInvalid"),
        (list_chatapp_template, {"AuditStatus": "good"}, "InvalidParameter.AuditStatusNotSupport"),
        (list_chatapp_template, {"Category": "x"}, "InvalidParameter.Category"),
        (get_chatapp_template_metric, {"TemplateCode": None}, "MissingTemplateCode"),
        (get_chatapp_template_metric, {"Start": "2"}, "InvalidParameter.End"),
        (get_chatapp_template_metric, {"End": "7776000001"}, "InvalidParameter.End"),
        (get_chatapp_template_metric, {"Granularity": "WEEKLY"}, "InvalidParameter.Granularity"),
        (get_chatapp_template_metric, {}, "InvalidParameter.TemplateCode"),
    ],
)
async def test_refused(operation: ModuleType, changes: Changes, code: str) -> None:
    desk = Desk()
    desk.templates = Nothing()
    with pytest.raises(ApiError) as refused:
        await operation.execute(call(BASE, changes), desk)
    assert refused.value.code == code
