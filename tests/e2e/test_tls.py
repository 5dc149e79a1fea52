"""``serve`` with TLS, and behind a proxy: who is believed about where a call or a receipt comes from."""

from __future__ import annotations

import json
import ssl
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
import trustme

from chatgate import sealing
from chatgate.clock import HOUR, SystemClock
from chatgate.gateway import sts
from chatgate.gateway.sts import Wish
from chatgate.store.store import Store
from tests.e2e.caller import Caller, connect
from tests.e2e.installation import ACCOUNTS, RECEIPTS_SECRET, Installation
from tests.e2e.processes import Process, Processes
from tests.gateway.wire import http, text
from tests.web.raw_http import Reply

NOWHERE = "http://127.0.0.1:9/send"
"""A partner that is not there: nothing here is about sending."""

PARTNER, STRANGER = "203.0.113.5", "198.51.100.7"
"""Addresses for documentation (RFC 5737); receipts are taken from the first one's network."""

RECEIPT = json.dumps({
    "message_token": "5000000000000000001", "message_status": 0, "message_time": 1_740_830_400_000,
    "phone_number": "639170000020", "service_id": 27549,
}).encode()  # fmt: skip


async def test_https(tmp_path: Path) -> None:
    """A signed call over verified TLS is taken; who distrusts the certificate, or speaks plain HTTP, gets nothing."""
    authority, caller = trustme.CA(), Caller(ACCOUNTS)
    certificate = authority.issue_cert("127.0.0.1")
    cert, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    certificate.private_key_pem.write_to_path(key)
    for part in certificate.cert_chain_pems:
        part.write_to_path(cert, append=True)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async with Processes(tmp_path) as processes:
        installation = Installation(processes, tmp_path)
        await installation.configure(NOWHERE)
        node = await installation.start(0, "--tls-cert", cert, "--tls-key", key)
        assert node.url.startswith("https://")
        async with connect(node.url, trusting) as peer:
            replies = [await caller.call(peer, node.url, caller.offer()) for _ in range(3)]
            assert [reply.json["Code"] for reply in replies] == ["OK"] * 3
            await peer.send(b"GET /nowhere HTTP/1.1\r\nhost: gate.example\r\n\r\n")
            stranger = await peer.reply()
        with pytest.raises(ssl.SSLCertVerificationError):
            async with connect(node.url, ssl.create_default_context()):
                pass
        async with connect(node.url.replace("https", "http")) as peer:
            await peer.send(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
            assert b"200" not in await peer.rest()
    assert stranger.json["Recommend"].startswith("https://gate.example/")


PROXY_CASES = [
    # trusted_proxies, X-Forwarded-For, status of a receipt
    ("", None, 403),
    ("", PARTNER, 403),
    ("127.0.0.1", None, 403),
    ("127.0.0.1", PARTNER, 200),
    ("127.0.0.1", STRANGER, 403),
    ("127.0.0.1", f"{PARTNER}, {STRANGER}", 403),
    ("127.0.0.1", f"{STRANGER}, {PARTNER}", 200),
    ("127.0.0.1", "not an address", 403),
]


async def test_trusted_proxies(tmp_path: Path) -> None:
    """Receipts are taken from the partner's network only; ``X-Forwarded-For`` counts only from a named proxy."""
    async with AsyncExitStack() as stack:
        nodes: dict[str, Process] = {}
        for name, trusted in {"bare": "", "behind": "127.0.0.1"}.items():
            folder = tmp_path / name
            folder.mkdir()
            processes = await stack.enter_async_context(Processes(folder))
            installation = Installation(processes, folder)
            await installation.configure(NOWHERE, {"receipts_from": ["203.0.113.0/24"]}, trusted_proxies=trusted)
            nodes[trusted] = await installation.start()
        answers = [(await receipt(nodes[trusted], forwarded)).status for trusted, forwarded, _ in PROXY_CASES]
        assert answers == [status for _, _, status in PROXY_CASES]

        for trusted, scheme in (("", "http"), ("127.0.0.1", "https")):
            async with connect(nodes[trusted].url) as peer:
                await peer.send(b"GET / HTTP/1.1\r\nhost: gate.example\r\nx-forwarded-proto: https\r\n\r\n")
                assert (await peer.reply()).json["Recommend"].startswith(f"{scheme}://gate.example/")


async def test_a_bearer_token_is_taken_over_tls_only(tmp_path: Path) -> None:
    """Here a proxy speaks TLS; without its word for that, the token has been seen by whoever listened."""
    async with Processes(tmp_path) as processes:
        installation = Installation(processes, tmp_path)
        await installation.configure(NOWHERE, trusted_proxies="127.0.0.1")
        token = await bearer(tmp_path, installation.database)
        node = await installation.start()
        answers = {}
        async with connect(node.url) as peer:
            for scheme in ("http", "https"):
                query = urlencode(text() | {"SignatureType": "BEARERTOKEN"})
                headers = {
                    "host": node.host, "x-acs-action": "SendChatappMessage", "x-acs-version": "2020-06-06",
                    "x-acs-bearer-token": token, "x-acs-signature-nonce": scheme, "x-forwarded-proto": scheme,
                    "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                }  # fmt: skip
                await peer.send(http("POST", f"/?{query}", headers))
                answers[scheme] = (await peer.reply()).json["Code"]
    assert answers == {"http": "InvalidProtocol.NeedSsl", "https": "OK"}


async def bearer(folder: Path, database: str) -> str:
    """Issue a bearer token of an account."""
    clock, ring = SystemClock(), sealing.load_or_create(folder / "key-ring")
    store = await Store.open(database, clock=clock, key_ring=ring, on_fatal=pytest.fail)
    account_id = await store.find_account(ACCOUNTS[0].name)
    await store.close()
    assert account_id is not None
    wish = Wish(account_id=account_id, user_id=None, name="x", duration=HOUR)
    return sts.issue_bearer(ring, wish, clock.now()).token


async def receipt(node: Process, forwarded: str | None) -> Reply:
    lines = [
        f"POST /receipts/viber/{RECEIPTS_SECRET} HTTP/1.1",
        f"host: {node.host}",
        f"content-length: {len(RECEIPT)}",
    ]
    lines += [f"x-forwarded-for: {forwarded}"] if forwarded is not None else []
    async with connect(node.url) as peer:
        await peer.send("\r\n".join([*lines, "", ""]).encode() + RECEIPT)
        return await peer.reply()
