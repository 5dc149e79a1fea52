from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from chatgate.errors import SettingError
from chatgate.web.server import Server
from tests.web.raw_http import Echo, check_refusal, edge

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
WAIT = b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"


class Tls:
    """A certificate for localhost, as files and as trust of the client."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        issued = authority.issue_cert("localhost")
        self.cert = str(folder / "cert.pem")
        self.key = str(folder / "key.pem")
        issued.private_key_pem.write_to_path(self.key)
        for part in issued.cert_chain_pems:
            part.write_to_path(self.cert, append=True)
        self.trust = ssl.create_default_context()
        authority.configure_trust(self.trust)


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    return Tls(tmp_path)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1"),
        ("0.0.0.0", "http://127.0.0.1"),
        ("::", "http://[::1]"),
        ("::1", "http://[::1]"),
    ],
)
def test_says_where_it_is_reached(host: str, url: str) -> None:
    assert Server(Echo(), host=host, port=8080).url == f"{url}:8080"


async def test_takes_a_free_port() -> None:
    async with edge() as one, edge() as other:
        assert one.server.port not in (0, other.server.port)
        assert one.server.url == f"http://127.0.0.1:{one.server.port}"
        assert (await one.ask(GET)).status == 200


async def test_answers_without_headers_of_its_own() -> None:
    async with edge() as it:
        assert set((await it.ask(GET)).headers) == {"content-type", "content-length"}


async def test_an_address_in_use_is_a_wrong_setting() -> None:
    async with edge() as it:
        with pytest.raises(SettingError, match=rf"^Cannot listen on 127\.0\.0\.1 port {it.server.port}: .*in use"):
            await Server(Echo(), port=it.server.port).start()


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
async def test_an_address_of_elsewhere_is_a_wrong_setting(host: str) -> None:
    with pytest.raises(SettingError, match=rf"^Cannot listen on {host} port 0: "):
        await Server(Echo(), host=host).start()


async def test_stop_without_start_does_nothing() -> None:
    await Server(Echo()).stop()


# --- TLS -----------------------------------------------------------------------------------------------------------


async def test_speaks_tls(tls: Tls) -> None:
    async with edge(tls_cert=tls.cert, tls_key=tls.key) as it, it.peer(tls=tls.trust) as peer:
        assert it.server.url.startswith("https://")
        assert peer.writer.get_extra_info("ssl_object").version() == "TLSv1.3"
        for body in (b"", b"b" * 1_000_000):
            await peer.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            seen = (await peer.reply()).json
            assert (seen["scheme"], seen["body"].encode()) == ("https", body)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [(b"garbage\r\n\r\n", 400, "InvalidRequest"), (b"GET / HTTP/1.1\r\n", 408, "RequestTimeout")],
)
async def test_refuses_over_tls_too(tls: Tls, data: bytes, status: int, code: str) -> None:
    async with (
        edge(tls_cert=tls.cert, tls_key=tls.key, receive_seconds=0.1) as it,
        it.peer(tls=tls.trust) as peer,
    ):
        await peer.send(data)
        check_refusal(await peer.reply(), status, code)


async def test_a_handshake_must_be_done_in_time(tls: Tls) -> None:
    async with edge(tls_cert=tls.cert, tls_key=tls.key, receive_seconds=0.05) as it, it.peer() as silent:
        with suppress(ConnectionError):
            assert await silent.rest() == b""


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.*deprecated")
async def test_refuses_old_tls(tls: Tls) -> None:
    tls.trust.minimum_version = ssl.TLSVersion.TLSv1
    tls.trust.maximum_version = ssl.TLSVersion.TLSv1_1
    tls.trust.set_ciphers("ALL:@SECLEVEL=0")
    async with edge(tls_cert=tls.cert, tls_key=tls.key) as it:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            async with it.peer(tls=tls.trust):
                pass


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"tls_cert": "{cert}"}, "TLS needs both a certificate file and a key file"),
        ({"tls_key": "{key}"}, "TLS needs both a certificate file and a key file"),
        (
            {"tls_cert": "{cert}.gone", "tls_key": "{key}"},
            "The TLS certificate file .*gone cannot be read: No such file",
        ),
        ({"tls_cert": "{cert}", "tls_key": "{key}.gone"}, "The TLS key file .*gone cannot be read: No such file"),
        ({"tls_cert": "{key}", "tls_key": "{key}"}, "cannot be used: .*Both must be PEM"),
        ({"tls_cert": "{cert}", "tls_key": "{locked}"}, "without a passphrase"),
        ({"tls_cert": "{cert}", "tls_key": "{other}"}, "belong to each other"),
    ],
)
async def test_unusable_tls_files_are_a_wrong_setting(
    tls: Tls, tmp_path: Path, files: dict[str, str], sentence: str
) -> None:
    (tmp_path / "more").mkdir()
    paths = {
        "cert": tls.cert,
        "key": tls.key,
        "other": Tls(tmp_path / "more").key,
        "locked": str(tmp_path / "locked.pem"),
    }
    Path(paths["locked"]).write_bytes(_locked(Path(tls.key).read_bytes()))
    with pytest.raises(SettingError, match=sentence):
        await Server(Echo(), **{name: path.format_map(paths) for name, path in files.items()}).start()  # type: ignore[arg-type]


def _locked(key: bytes) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


# --- stopping ------------------------------------------------------------------------------------------------------


async def test_stop_lets_calls_finish_and_takes_no_new_connection() -> None:
    async with edge(drain_seconds=30.0) as it, it.peer() as peer, it.peer() as idle:
        await idle.send(GET)
        assert (await idle.reply()).status == 200
        await peer.send(WAIT)
        await it.app.called("/wait")
        stopping = asyncio.create_task(it.server.stop())
        assert await idle.rest() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", it.server.port)
        assert not stopping.done()
        it.app.gate.set()
        reply = await peer.reply()
        assert (reply.status, reply.json["path"], reply.headers["connection"]) == (200, "/wait", "close")
        assert await peer.rest() == b""
        async with asyncio.timeout(10):
            await stopping


async def test_stop_answers_all_requests_that_have_arrived() -> None:
    async with edge(drain_seconds=30.0) as it, it.peer() as peer:
        await peer.send(WAIT + GET + GET)
        await it.app.called("/wait")
        stopping = asyncio.create_task(it.server.stop())
        await asyncio.sleep(0.05)
        it.app.gate.set()
        assert [(await peer.reply()).status for _ in range(3)] == [200, 200, 200]
        assert await peer.rest() == b""
        await stopping


async def test_stop_answers_a_request_that_has_arrived_but_is_not_read_yet() -> None:
    loop = asyncio.get_running_loop()
    async with edge() as it:
        with socket.create_connection(("127.0.0.1", it.server.port)) as peer:
            peer.setblocking(False)
            await loop.sock_sendall(peer, GET)
            assert (await loop.sock_recv(peer, 65536)).startswith(b"HTTP/1.1 200")
            peer.send(GET)
            await it.server.stop()
            assert peer.recv(65536).startswith(b"HTTP/1.1 200")


async def test_stop_lets_a_body_arrive_that_has_begun() -> None:
    async with edge(drain_seconds=30.0) as it, it.peer() as peer:
        await peer.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nb")
        await it.app.called("/")
        stopping = asyncio.create_task(it.server.stop())
        await asyncio.sleep(0.05)
        await peer.send(b"b")
        assert (await peer.reply()).json["body"] == "bb"
        await stopping


async def test_stop_refuses_a_request_of_which_only_the_beginning_came() -> None:
    async with edge() as it, it.peer() as peer:
        await peer.send(b"GET / HTTP/1.1\r\n")
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(it.server.stop())
        check_refusal(await peer.reply(), 503, "ServiceUnavailable")
        assert await peer.rest() == b""
        peer.writer.close()
        await stopping


@pytest.mark.parametrize("secure", [False, True])
async def test_stop_cuts_off_after_the_drain_time(tls: Tls, secure: bool) -> None:
    files: dict[str, Any] = {"tls_cert": tls.cert, "tls_key": tls.key} if secure else {}
    async with edge(drain_seconds=0.05, **files) as it, it.peer(tls=tls.trust if secure else None) as peer:
        await peer.send(WAIT)
        await it.app.called("/wait")
        async with asyncio.timeout(10):
            await it.server.stop()
        with suppress(ConnectionError):
            assert await peer.rest() == b""
        assert not [task for task in asyncio.all_tasks() if "run_asgi" in repr(task)]
