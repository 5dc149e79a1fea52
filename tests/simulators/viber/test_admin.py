"""The admin side: what it does, and whom it does not let in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatgate.simulators.viber.app import app
from tests.simulators.viber.stage import NUMBER, SERVICE, Stage


async def call(
    stage: Stage,
    method: str,
    target: str,
    body: object = None,
    *,
    peer: str | None = "127.0.0.1",
    host: str = "localhost:8090",
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    """Ask the application directly, as any address may."""
    path, _, query = target.partition("?")
    sent = {"host": host, **(headers or {})}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "scheme": "http",
        "server": ("127.0.0.1", 8090),
        "client": None if peer is None else (peer, 1234),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }
    told: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body if isinstance(body, bytes) else json.dumps(body).encode()}

    async def send(message: Any) -> None:
        told.append(message)

    await app(stage.partner)(scope, receive, send)
    return told[0]["status"], json.loads(told[1]["body"])


async def test_a_service_a_template_and_a_number(stage: Stage) -> None:
    assert (await call(stage, "PUT", "/admin/services/5000", {"callback_url": "http://five.test"}))[0] == 200
    template = {"language": "en", "body": "Hi {{name}}"}
    assert (await call(stage, "PUT", "/admin/services/5000/templates/hi", template))[0] == 200
    script = {"steps": [{"after": "2s", "do": "seen"}]}
    assert (await call(stage, "PUT", f"/admin/services/5000/numbers/{NUMBER}", script))[0] == 200
    answer = await stage.send(1702, service_id=5000, templateId="hi", templateParams={"name": "Ann"})
    assert answer["status"] == 0
    await stage.pass_time(2000)
    assert (stage.urls, stage.statuses) == (["http://five.test"], [1])
    _, inbox = await call(stage, "GET", f"/admin/phones/{NUMBER}")
    assert inbox["messages"][0]["text"] == "Hi Ann"

    await call(stage, "DELETE", f"/admin/services/5000/numbers/{NUMBER}")
    await call(stage, "PUT", "/admin/services/5000", {"blocked": True})
    assert (await stage.send(service_id=5000))["status"] == 43


async def test_what_the_owner_of_a_phone_does(stage: Stage) -> None:
    phone = f"/admin/services/{SERVICE}/phones/{NUMBER}"
    await call(stage, "POST", phone, {"do": "block"})
    assert (await stage.send())["status"] == 8
    await call(stage, "POST", phone, {"do": "unblock"})
    await call(stage, "POST", phone, {"do": "off"})
    assert (await stage.send())["status"] == 0
    await stage.pass_time(5000)
    await call(stage, "POST", phone, {"do": "on"})
    await call(stage, "POST", phone, {"do": "reply", "text": "Hello?"})
    await stage.partner.run_due()
    assert sorted(map(str, stage.statuses)) == ["0", "4", "5", "Hello?"]


async def test_an_event_is_forced(stage: Stage) -> None:
    token = (await stage.send(dest="380501234512"))["message_token"]
    assert (await call(stage, "POST", f"/admin/messages/{token}", {"do": "seen"}))[0] == 200
    await stage.partner.run_due()
    assert stage.statuses == [1]
    assert (await call(stage, "POST", "/admin/messages/17", {"do": "seen"}))[0] == 404


async def test_switches(stage: Stage) -> None:
    _, default = await call(stage, "GET", "/admin/switches")
    assert default["unauthorized_status"] == 401
    await call(stage, "PUT", f"/admin/switches?service_id={SERVICE}", {"token_on_errors": True, "lost": 1})
    assert (await call(stage, "GET", f"/admin/switches?service_id={SERVICE}"))[1] != default
    assert (await call(stage, "GET", "/admin/switches"))[1] == default
    assert "message_token" in await stage.send(dest="380501234538")
    await call(stage, "DELETE", f"/admin/switches?service_id={SERVICE}")
    assert (await call(stage, "GET", f"/admin/switches?service_id={SERVICE}"))[1] == default


async def test_time_is_moved_and_what_is_due_is_done(stage: Stage) -> None:
    await stage.send(dest="380501234503", ttl=60)
    now = stage.clock.now()
    assert await call(stage, "GET", f"/admin/time?service_id={SERVICE}") == (
        200,
        {"now": now, "next_due": now + 60_000},
    )
    _, then = await call(stage, "POST", f"/admin/time?service_id={SERVICE}", {"advance": "1m"})
    assert then == {"now": now + 60_000, "next_due": None}
    assert stage.statuses == [2]


async def test_requests_and_journal(stage: Stage) -> None:
    await stage.post(b"{")
    token = (await stage.send())["message_token"]
    _, requests = await call(stage, "GET", "/admin/requests")
    assert [(request["status"], request["answer"]) for request in requests] == [
        (200, '{"status":3}'),
        (200, f'{{"status":0,"seq":1,"message_token":"{token}"}}'),
    ]
    _, journal = await call(stage, "GET", "/admin/journal")
    assert journal[-1]["message"]["request"]["message"]["#txt"] == "Hi"


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PUT", "/admin/services/5000", b"{"),
        ("PUT", "/admin/services/5000", b"\xff"),
        ("PUT", "/admin/services/5000", {"callback": "typo"}),
        ("PUT", "/admin/services/5000/templates/hi", {"language": "en"}),
        ("PUT", "/admin/services/5000/numbers/1234567", {"steps": [{"do": "delivered", "after": "soon"}]}),
        ("PUT", "/admin/services/5000/numbers/1234567", {"steps": [{"do": "dance"}]}),
        ("PUT", "/admin/services/5000/numbers/1234567", {"answers": []}),
        ("POST", f"/admin/services/{SERVICE}/phones/1234567", {"do": "explode"}),
        ("PUT", "/admin/switches", {"lost": 2}),
        ("GET", "/admin/switches?service_id=x", None),
        ("GET", "/admin/phones/1234567?service_id=x", None),
        ("POST", "/admin/time", {"advance": "-1s"}),
    ],
)
async def test_bad_input_is_an_error_and_changes_nothing(stage: Stage, method: str, target: str, body: object) -> None:
    before = stage.partner.journal()
    status, answer = await call(stage, method, target, body)
    assert status == 400
    assert answer.keys() == {"error"}
    assert stage.partner.journal() == before


@pytest.mark.parametrize(
    "caller",
    [
        {"peer": "10.0.0.1"},
        {"peer": "192.168.1.5"},
        {"peer": None},
        {"host": "evil.test"},
        {"host": "10.0.0.1:8090"},
        {"headers": {"origin": "https://evil.test"}},
        {"headers": {"origin": "null"}},
        {"headers": {"origin": "http://localhost:8090"}},
        {"headers": {"sec-fetch-site": "cross-site"}},
    ],
)
async def test_who_is_not_let_in(stage: Stage, caller: dict[str, Any]) -> None:
    for method, target, body in [
        ("GET", "/admin/requests", None),
        ("PUT", "/admin/services/5000", {}),
        ("POST", "/admin/time", {"advance": "1d"}),
    ]:
        status, answer = await call(stage, method, target, body, **caller)
        assert status == 403
        assert answer.keys() == {"error"}
    assert stage.partner.services() == [SERVICE]


@pytest.mark.parametrize(
    "caller",
    [
        {"peer": "127.8.8.8", "host": "127.0.0.1:8090"},
        {"peer": "::1", "host": "[::1]:8090"},
        {"headers": {"sec-fetch-site": "none"}},
    ],
)
async def test_who_is_let_in(stage: Stage, caller: dict[str, Any]) -> None:
    assert (await call(stage, "GET", "/admin/requests", **caller))[0] == 200
