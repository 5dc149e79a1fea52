"""The tenant matrix (promise P20): tenant B tries what is A's, by every parameter and route that names an object.

The answer must be that for an object which does not exist, nothing of A may be in it, and nothing of A may change.
Every operation and every route of the code is in the tables below; what is new and is not there fails the build.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from chatgate import config
from chatgate.operations.base import all_operations
from chatgate.protocol.params import String
from chatgate.runtime.sandbox import Sandbox
from chatgate.runtime.service import Node
from chatgate.web.app import App
from tests.gateway.tenants import NOBODY, TEXT, Answer, Tenant, World, world

Params = Mapping[str, str]

FREE = frozenset({"phone", "receivers", "task", "url", "file", "message", "new name", "own word"})
"""Kinds whose names anybody may write: the call is answered as any other. All others name what has an owner, and there
it is also tried that the owner finds it."""

NAMES_NOTHING = frozenset({
    "AdAccountId", "AllowCategoryChange", "AuditRecord", "AuditResult", "AuditStatus", "BindId", "Category",
    "CategoryChangePaused", "ChannelType", "ClientAcceptStatus", "Components", "ContactMail", "Content", "CountryId",
    "CustWabaId", "End", "EndTime", "EndTimeStr", "EventAction", "Example", "FacebookBmId", "FallBackContent",
    "FallBackDuration", "FallBackRule", "FlowAction", "Granularity", "HttpFlag", "InstanceDescription", "IsBind",
    "IsConfirmAudit", "IsvCode", "IsvTerms", "Label", "Language", "MessageCampaignId", "MessageSendTtlSeconds",
    "MessageStatus", "MessageType", "OfficeAddress", "Page", "PageIndex", "PageSize", "Payload", "ProductAction",
    "ProductSetId", "QueueFlag", "RecipientType", "ResourceGroupId", "Start", "StartTime", "StartTimeStr", "Status",
    "SubmitTime", "Tag", "TemplateParams", "TemplateType", "TokenType", "TrackingData", "Ttl", "Type",
})  # fmt: skip
"""Parameters that never name an object of an account."""


@dataclass(frozen=True, slots=True)
class Row:
    """One operation: a call that is good, and which of its parameters name an object of which kind."""

    names: Mapping[str, str] = field(default_factory=dict)
    more: Params = field(default_factory=dict)
    """What else a good call has."""
    good: tuple[str, ...] = ()
    """The names that a good call has; the others are added when they are tried."""

    def call(self, tenant: Tenant, *, instead: str = "") -> dict[str, str]:
        """Return a good call; what names the same object as ``instead`` is left out."""
        same = TEMPLATE if self.names.get(instead) in TEMPLATE.values() else {}
        good = [name for name in self.good if name not in same]
        return {**self.more, **{name: tenant.own[self.names[name]] for name in good}}


SPACE = {"CustSpaceId": "space"}
TEMPLATE = {"TemplateCode": "template", "TemplateName": "template name"}
"""One of them is given: each is tried without the other."""
VIBER = {"TemplateType": "VIBER", "Language": "en"}
BODY = '[{"Type":"BODY","Text":"Hello"}]'
SENT = {
    **SPACE, "TemplateCode": "template", "TemplateName": "own word", "From": "sender", "FallBackId": "policy",
    "TaskId": "task",
}  # fmt: skip
TIMES = {"Start": "1740787200000", "End": "1740873600000"}

MATRIX: dict[str, Row] = {
    "AddAddressRecoverSuspend": Row(SPACE | {"RequestType": "own word"}, good=("CustSpaceId",)),
    "AddAuditViberOpen": Row(SPACE, good=("CustSpaceId",)),
    "CreateChatappTemplate": Row(
        SPACE | {"Name": "new name"}, VIBER | {"Category": "UTILITY", "Components": BODY, "Name": "x"}, ("CustSpaceId",)
    ),
    "CreateInstance": Row({"InstanceName": "own word"}, {"ChannelType": "viber", "InstanceName": "x"}),
    "DeleteChatappTemplate": Row(SPACE | TEMPLATE, VIBER, ("CustSpaceId", "TemplateCode")),
    "DeleteInstance": Row({"InstanceId": "instance"}, good=("InstanceId",)),
    "GeneratePresignedUrl": Row({"FilePath": "file"}, good=("FilePath",)),
    "GetAuditRequestByTypeUnAudit": Row(SPACE | {"RequestType": "request type"}, good=("CustSpaceId", "RequestType")),
    "GetChatappOpenStatus": Row(),
    "GetChatappPhoneNumberMetric": Row(SPACE | {"PhoneNumber": "sender"}, TIMES, ("CustSpaceId",)),
    "GetChatappTemplateDetail": Row(SPACE | TEMPLATE, VIBER, ("CustSpaceId", "TemplateCode")),
    "GetChatappTemplateMetric": Row(
        SPACE | {"TemplateCode": "template"}, TIMES | {"TemplateType": "VIBER"}, ("CustSpaceId", "TemplateCode")
    ),
    "GetChatappUploadAuthorization": Row(SPACE, good=("CustSpaceId",)),
    "GetViberByRequestNo": Row(SPACE | {"RequestNo": "request"}, good=("CustSpaceId", "RequestNo")),
    "GetViberPauseTimes": Row(SPACE, good=("CustSpaceId",)),
    "ListChatappMessage": Row(
        SPACE | {
            "BusinessNumber": "sender", "UserNumber": "phone", "GroupMessageId": "group", "TemplateCode": "template",
        },
        {"ChannelType": "viber", "Page": '{"Index":1,"Size":10}'},
        ("CustSpaceId", "BusinessNumber"),
    ),
    "ListChatappTemplate": Row(
        SPACE | {"Code": "template", "Name": "template name"}, {"Page": '{"Index":1,"Size":10}'}, ("CustSpaceId",)
    ),
    "ListInstance": Row({"InstanceId": "instance", "InstanceName": "instance name", "FilterStr": "instance name"}),
    "ListViberServiceMessage": Row(SPACE, good=("CustSpaceId",)),
    "ModifyChatappTemplate": Row(SPACE | TEMPLATE, VIBER | {"Components": BODY}, ("CustSpaceId", "TemplateCode")),
    "OpenChatappService": Row(),
    "QueryChatappPhoneNumbers": Row(SPACE, good=("CustSpaceId",)),
    "QueryInstance": Row({"InstanceId": "instance"}, good=("InstanceId",)),
    "SendChatappMassMessage": Row(
        SENT | {"SenderList": "receivers"},
        {"ChannelType": "viber", "Label": "promotion", "Language": "en", "FallBackContent": "hi"},
        ("CustSpaceId", "From", "TemplateCode", "SenderList", "FallBackId"),
    ),
    "SendChatappMessage": Row(
        SENT | {"To": "phone", "ContextMessageId": "message"},
        {"ChannelType": "viber", "Type": "template", "Label": "promotion", "Language": "en", "FallBackContent": "hi"},
        ("CustSpaceId", "From", "TemplateCode", "To", "FallBackId"),
    ),
    "UpdateAccountWebhook": Row(SPACE | {"StatusCallbackUrl": "url"}, good=("CustSpaceId", "StatusCallbackUrl")),
    "UpdateAuditRequest": Row(
        SPACE | {"RequestNo": "request"}, {"AuditRecord": '{"ApplyReason":"stolen"}'}, ("CustSpaceId", "RequestNo")
    ),
    "UpdateInstance": Row(
        {"InstanceId": "instance", "InstanceName": "own word"}, {"InstanceName": "Stolen"}, ("InstanceId",)
    ),
    "UpdatePhoneWebhook": Row(
        SPACE | {"PhoneNumber": "sender", "StatusCallbackUrl": "url", "UpCallbackUrl": "url"},
        {"StatusCallbackUrl": "https://b.example.com/"},
        ("CustSpaceId", "PhoneNumber"),
    ),
}  # fmt: skip

ALIASES = {"new name": "template name", "own word": "instance name"}
"""Where a name that anybody may write is taken from."""


def cells() -> Iterable[tuple[str, str]]:
    return [(action, name) for action, row in sorted(MATRIX.items()) for name in row.names]


# --- the matrix is whole ---------------------------------------------------------------------------------------------


def missing_operations(operations: Mapping[str, ModuleType | SimpleNamespace]) -> list[str]:
    """Return the operations, and the parameters of operations, that the matrix does not know."""
    lacking = [action for action in operations if action not in MATRIX]
    for action, module in operations.items():
        names = {row.name for row in module.PARAMETERS} - NAMES_NOTHING
        lacking += [f"{action}.{name}" for name in sorted(names) if name not in MATRIX.get(action, Row()).names]
    return lacking


def missing_routes(app: App) -> list[str]:
    return [path for path in paths(app) if path not in ROUTES]


def paths(app: App) -> list[str]:
    """Return every path that leads somewhere. A mount that does not tell its routes is one route."""
    found = ["/", *(own.path for own in app.own.values())]
    for segment, mount in app.mounts.items():
        found += [route.path for route in getattr(mount, "routes", [])] or [f"/{segment}/…"]
    return found


def test_every_operation_is_in_the_matrix() -> None:
    operations = all_operations()
    assert missing_operations(operations) == []
    assert MATRIX.keys() <= operations.keys()


def test_a_new_operation_or_parameter_is_reported() -> None:
    new = SimpleNamespace(PARAMETERS=(String("CustSpaceId"), String("Label")))
    assert missing_operations({"TakeEverything": new}) == ["TakeEverything", "TakeEverything.CustSpaceId"]
    grown = SimpleNamespace(PARAMETERS=(*all_operations()["QueryInstance"].PARAMETERS, String("SecretId")))
    assert missing_operations({"QueryInstance": grown}) == ["QueryInstance.SecretId"]


async def test_every_route_is_in_the_matrix(tmp_path: Path) -> None:
    """Of the sandbox, and of an installation that serves: started as they are, so that what they add is seen."""
    found: set[str] = set()
    sandbox = Sandbox(
        config.load({"data": str(tmp_path / "sandbox"), "port": "0"}, {}, None), open_to_all=False, on_fatal=sys.exit
    )
    node = Node(config.load({"data": str(tmp_path / "serve"), "port": "0"}, {}, None), on_fatal=sys.exit)
    for service in (sandbox, node):
        await service.start()
        try:
            app = service.app if isinstance(service, Node) else service.node.app
            assert missing_routes(app) == []
            found |= set(paths(app))
        finally:
            await service.stop()
    assert found == ROUTES.keys()


async def test_a_new_route_is_reported(there: World) -> None:
    async def page(_request: object) -> None: ...

    app = there.app
    app.mounts = {"console": Starlette(routes=[Route("/console/{account}", page)]), "blob": page}  # type: ignore[dict-item]
    assert missing_routes(app) == ["/console/{account}", "/blob/…"]


# --- operations ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


def named(kind: str, names: Mapping[str, str]) -> str:
    return names[ALIASES.get(kind, kind)]


def secrets_of(tenant: Tenant) -> list[str]:
    """Return what stands in an answer only when something of the tenant is shown."""
    return [tenant.name, tenant.key, str(tenant.account_id), f"Secret of tenant {tenant.number}",
            f"Street {tenant.number}", *tenant.own.values()]  # fmt: skip


@pytest.mark.parametrize(("action", "parameter"), cells())
async def test_an_object_of_another(there: World, action: str, parameter: str) -> None:
    row = MATRIX[action]
    kind = row.names[parameter]
    good = row.call(there.b, instead=parameter)
    theirs, nobodys = named(kind, there.a.own), named(kind, NOBODY)
    before = there.everything(there.a)
    none = await there.call(there.b, action, good | {parameter: nobodys})
    tried = await there.call(there.b, action, good | {parameter: theirs})
    assert tried.without(theirs) == none.without(nobodys)
    rest = tried.text.replace(json.dumps(theirs)[1:-1], "")
    assert [secret for secret in secrets_of(there.a) if secret in rest] == []
    assert there.everything(there.a) == before
    if kind not in FREE:  # and it is there: its owner is answered otherwise
        own = row.call(there.a, instead=parameter)
        found = await there.call(there.a, action, own | {parameter: theirs})
        assert found.without(theirs) != tried.without(theirs)


@pytest.mark.parametrize("action", sorted(MATRIX))
async def test_an_own_call_shows_and_changes_nothing_of_another(there: World, action: str) -> None:
    before = there.everything(there.a)
    answer = await there.call(there.b, action, MATRIX[action].call(there.b))
    assert answer.code == "OK" or action in REFUSED, answer
    assert [secret for secret in secrets_of(there.a) if secret in answer.text] == []
    assert there.everything(there.a) == before


REFUSED = {"GetChatappUploadAuthorization", "GeneratePresignedUrl", "ModifyChatappTemplate"}
"""Not here, not here, and of an approved template."""


async def test_a_retry_key_of_another(there: World) -> None:
    """Idempotency-Key, and TaskId with To, where the space says so: the same call of another account is another."""
    own = there.b.own
    call = {**TEXT, "CustSpaceId": own["space"], "From": own["sender"], "To": there.a.own["phone"]}
    headers = {"idempotency-key": there.a.own["retry key"]}
    by_key = await there.call(there.b, "SendChatappMessage", call, headers)
    by_task = await there.call(there.b, "SendChatappMessage", call | {"TaskId": there.a.own["task"]})
    for answer in (by_key, by_task):
        assert answer.code == "OK"
        assert there.a.own["message"] not in answer.text


async def test_a_nonce_of_another(there: World) -> None:
    for tenant in (there.a, there.b):
        assert (await there.call(tenant, "GetChatappOpenStatus", {}, nonce="the same")).code == "OK"
    assert (await there.call(there.b, "GetChatappOpenStatus", {}, nonce="the same")).code == "SignatureNonceUsed"


# --- routes ----------------------------------------------------------------------------------------------------------

Ask = Callable[[World, Mapping[str, str]], "tuple[str, str, bytes]"]
"""Method, target and body of what B asks; the names are of A's objects, or of nobody's."""


def sandbox(path: str) -> Ask:
    return lambda there, names: ("GET", f"/sandbox/{path.format(**names)}account={there.b.name}", b"")


ROUTES: dict[str, list[Ask]] = {
    "/": [],  # the matrix above
    "/receipts/{provider}/{secret}": [
        lambda _, names: ("POST", "/receipts/viber/guessed", json.dumps({"message_token": names["message"]}).encode()),
    ],
    "/meta/…": [
        lambda _, names: ("GET", f"/meta/v1/{names['template']}", b""),
        lambda _, __: ("GET", "/meta/v1/openapi.json", b""),
    ],
    "/healthz": [lambda _, __: ("GET", "/healthz", b"")],
    "/readyz": [lambda _, __: ("GET", "/readyz", b"")],
    "/metrics": [lambda _, __: ("GET", "/metrics", b"")],
    "/sandbox/messages": [sandbox("messages?"), sandbox("messages?to={phone}&"), sandbox("messages?text={task}&")],
    "/sandbox/messages/{message_id}": [sandbox("messages/{message}?"), sandbox("messages/{group}?")],
    "/sandbox/phones/{number}": [sandbox("phones/{phone}?")],
    "/sandbox/callbacks": [
        sandbox("callbacks?"),
        lambda there, names: ("POST", f"/sandbox/callbacks?account={there.b.name}", names["message"].encode()),
    ],
}  # fmt: skip
"""Every route, and what B asks of it."""


@pytest.mark.parametrize(("path", "number"), [(path, n) for path, asks in ROUTES.items() for n in range(len(asks))])
async def test_a_route(there: World, path: str, number: int) -> None:
    before, heard = there.everything(there.a), await _heard(there)
    answers = []
    for names in (there.a.own, NOBODY):
        method, target, body = ROUTES[path][number](there, names)
        answer = await there.fetch(method, target, {}, body)
        for name in names.values():
            answer = answer.without(name) if name in target or name.encode() in body else answer
        answers.append(answer)
    theirs, nobodys = answers
    if path != "/metrics":  # that counts the calls
        assert theirs == nobodys
    shown = [secret for secret in secrets_of(there.a) if secret in theirs.text]
    assert shown == []
    assert there.everything(there.a) == before
    assert await _heard(there) == heard


async def _heard(there: World) -> Answer:
    """Return what A's own endpoint heard."""
    return await there.fetch("GET", f"/sandbox/callbacks?account={there.a.name}")


async def test_the_owner_sees_it(there: World) -> None:
    """What the routes hide from B is there."""
    own = there.a.own
    for target, shown in (
        (f"/sandbox/messages/{own['message']}?", own["message"]), (f"/sandbox/phones/{own['phone']}?", own["task"]),
        (f"/sandbox/messages?to={own['phone']}&", own["message"]), ("/sandbox/callbacks?", own["url"]),
    ):  # fmt: skip
        assert shown in (await there.fetch("GET", f"{target}account={there.a.name}")).text
