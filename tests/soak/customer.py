"""A customer's endpoint as a process of its own: it writes down what it hears before it answers, and has its manners.

``python -m tests.soak.customer LEDGER PORT`` serves until it is killed; each account has its own path. ``POST
/manners`` sets how it answers: the shares of calls that are slow, failed, reset or refused in the body.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import random
import sys
from base64 import b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path

from aiohttp import web

from tests.e2e.caller import connect
from tests.e2e.processes import Process
from tests.soak.ledger import Book, Heard, ReportKey, read

SLOW = 1.5
"""Seconds: more than an endpoint has where time is short (``hasty``)."""

OK = {"code": 0, "msg": "Success"}

Manners = dict[str, float]
"""Share of calls by what is done with them: ``slow``, ``failed``, ``reset``, ``refused``."""

GOOD = ("ok", "slow")
"""What is answered as heard."""


class Endpoint:
    """Takes calls."""

    def __init__(self, ledger: Path) -> None:
        self._book = Book(ledger)
        self._manners: Manners = {}

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode()
        manner = self._manner()
        headers = {name: request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")}
        self._book.write(account=request.match_info["account"], body=body, manner=manner, **headers)
        if manner == "slow":
            await asyncio.sleep(SLOW)
        if manner == "reset" and request.transport is not None:
            request.transport.abort()
        if manner == "failed":
            return web.json_response({"error": "not today"}, status=500)
        return web.json_response({"code": 17, "msg": "not today"} if manner == "refused" else OK)

    async def behave(self, request: web.Request) -> web.StreamResponse:
        self._manners = await request.json()
        return web.json_response(OK)

    def _manner(self) -> str:
        share = random.random()
        for manner, own in self._manners.items():
            if share < own:
                return manner
            share -= own
        return "ok"


async def serve(ledger: Path, port: int) -> None:
    endpoint = Endpoint(ledger)
    app = web.Application()
    app.add_routes([web.post("/manners", endpoint.behave), web.post("/{account}", endpoint.take)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    print(f"customer ready http://127.0.0.1:{port}", flush=True)
    await asyncio.Event().wait()


class Customer:
    """The endpoint, seen from the harness."""

    def __init__(self, process: Process, ledger: Path) -> None:
        self._process = process
        self._ledger = ledger

    async def behave(self, manners: Manners) -> None:
        body = json.dumps(manners).encode()
        head = f"POST /manners HTTP/1.1\r\nhost: {self._process.host}\r\ncontent-length: {len(body)}\r\n\r\n"
        async with connect(self._process.url) as peer:
            await peer.send(head.encode() + body)
            assert (await peer.reply()).status == 200

    def heard(self, secrets: Mapping[str, bytes]) -> list[Heard]:
        """Return the calls so far; ``secrets`` by account."""
        return [
            Heard(
                account=line["account"], signed_by=_signer(line, secrets), webhook_id=line["id"],
                reports=tuple(_keys(json.loads(line["body"]))), good=line["manner"] in GOOD,
            )
            for line in read(self._ledger)
        ]  # fmt: skip


def _signer(line: Mapping[str, str], secrets: Mapping[str, bytes]) -> str:
    """Return whose secret signed a call (Standard Webhooks 1.0.0: ``id.timestamp.body``)."""
    content = f"{line['id']}.{line['timestamp']}.{line['body']}".encode()
    for account, secret in secrets.items():
        if line["signature"] == "v1," + b64encode(hmac.digest(secret, content, "sha256")).decode():
            return account
    return ""


def _keys(reports: Iterable[Mapping[str, object]]) -> Iterable[ReportKey]:
    for report in reports:
        code, at = report.get("ErrorCode"), report["Timestamp"]
        assert isinstance(at, int)
        is_sms = report["Type"] == "SMS"
        yield str(report["MessageId"]), is_sms, str(report["Status"]), at, None if code is None else str(code)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
