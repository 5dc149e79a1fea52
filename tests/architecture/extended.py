"""chatgate with a folder of somebody else's modules beside its own: run by ``test_extension`` as a process.

Argument: a folder with ``providers``, ``operations``, ``commands`` and ``chatgate.toml``. Prints JSON: what came of it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from typer.testing import CliRunner

from chatgate import config, operations, providers
from chatgate.cli import commands
from chatgate.cli.main import build
from chatgate.clock import SystemClock
from chatgate.runtime.service import Node
from tests import signing

MESSAGE = {
    "ChannelType": "viber", "Type": "message", "MessageType": "text", "Label": "transaction", "From": "27549",
    "To": "639170000001", "Content": '{"text":"Hello"}',
}  # fmt: skip

_direct = build_opener(ProxyHandler({}))


def main(folder: Path) -> None:
    providers.__path__.append(str(folder / "providers"))
    operations.__path__.append(str(folder / "operations"))
    commands.__path__.append(str(folder / "commands"))
    data = ("--data", str(folder / "data"))
    key = json.loads(_command("account", "create", "shop", *data, "--json"))
    _command("account", "sender", "shop", "27549", *data)
    answers = asyncio.run(_serve(folder, key))
    print(json.dumps(answers | {"hello": _command("hello"), "help": _command("--help")}))


async def _serve(folder: Path, key: dict[str, str]) -> dict[str, Any]:
    flags = {"data": str(folder / "data"), "port": 0}
    node = Node(config.load(flags, {}, folder / "chatgate.toml"), on_fatal=sys.exit)
    await node.start()
    status = await asyncio.to_thread(_call, node.url, key, "IsvGetAppId", {"Type": "x"})
    send = await asyncio.to_thread(_call, node.url, key, "SendChatappMessage", MESSAGE)
    for _ in range(200):
        if (folder / "carried").exists():
            break
        await asyncio.sleep(0.02)
    await node.stop()
    return {"status": status, "send": send, "carried": (folder / "carried").read_text()}


def _command(*arguments: str) -> str:
    ran = CliRunner().invoke(build(), arguments)
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran.stdout


def _call(url: str, key: dict[str, str], action: str, form: dict[str, str]) -> Any:
    now = SystemClock().now()
    target, headers, body = signing.sign_v3(
        "POST", {}, key["access_key_id"], key["access_key_secret"], host=url.removeprefix("http://"), now=now,
        nonce=f"{action} {now}", action=action, form=form,
    )  # fmt: skip
    try:
        with _direct.open(Request(url + target, body, headers), timeout=10) as answer:
            return json.load(answer)
    except HTTPError as refusal:
        return json.load(refusal)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
