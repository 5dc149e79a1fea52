"""The simulated Viber partner as a process of its own, which outlives chatgate's crashes, and its remote control.

``python -m tests.e2e.partner JOURNAL CALLBACK_URL PORT`` serves until it is killed; port 0 is a free one. It knows
every service. Numbers that end in ``EXPIRING`` tell at once that the message expired; to those that end in ``DUMB`` it
is taken, but neither answered nor ever told of.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from chatgate.clock import SystemClock
from chatgate.simulators.viber.app import SEND_PATH, app
from chatgate.simulators.viber.messages import EventState
from chatgate.simulators.viber.partner import ViberPartner
from chatgate.simulators.viber.profiles import PROFILES
from chatgate.simulators.viber.scripts import Do, Fault, Script, Step, Timing
from chatgate.simulators.viber.server import Server
from tests.e2e.caller import connect
from tests.e2e.processes import Process, Processes
from tests.soak.ledger import Acknowledged, Taken, read

TIMING = Timing(delivery=(50, 150), seen=(50, 150), retries=(250,) * 240)
"""Quick phones, and callbacks that are tried four times a second: what a real partner does in minutes."""


EXPIRING = "81"
DUMB = "82"

STATUSES = {Do.DELIVERED: "delivered", Do.SEEN: "read", Do.EXPIRED: "expired"}
"""What chatgate makes of them. Nothing else is told about a message."""


async def serve(journal: Path, callback_url: str, port: int) -> None:
    PROFILES[EXPIRING] = Script(steps=(Step(Do.EXPIRED, "200ms"),))
    PROFILES[DUMB] = Script(answers=(Fault.RESET,))
    partner = ViberPartner(
        clock=SystemClock(), journal=journal, random=Random(), callback_url=callback_url, allow_any_service=True,
        timing=TIMING,
    )  # fmt: skip
    await partner.start()
    server = await Server.start(app(partner), port=port)
    print(f"partner ready {server.url}", flush=True)
    await asyncio.Event().wait()


class Partner:
    """A running partner, seen from a test."""

    def __init__(self, process: Process, journal: Path) -> None:
        self._process = process
        self._journal = journal
        self.send_url = process.url + SEND_PATH

    @classmethod
    async def start(cls, processes: Processes, folder: Path, callback_url: str) -> Partner:
        journal = folder / "partner.journal"
        return cls(await processes.start("tests.e2e.partner", journal, callback_url, 0), journal)

    async def switch(self, **switches: object) -> None:
        """Set the common switches (``simulators.viber.switches``); those not named go back to behaving."""
        await self._ask("PUT", "/admin/switches", switches)

    async def script(self, service_id: int, number: str, answers: Sequence[int | str], steps: Sequence[str]) -> None:
        """Say how sends to a number are answered, and what its phone then does."""
        script = {"answers": answers, "steps": [{"do": step} for step in steps]}
        await self._ask("PUT", f"/admin/services/{service_id}/numbers/{number}", script)

    async def call_back(self, service_id: int, url: str) -> None:
        """Say where the callbacks of a service go."""
        await self._ask("PUT", f"/admin/services/{service_id}", {"callback_url": url})

    async def happen(self, token: str, do: str) -> None:
        """Let something happen to a message now: delivered, seen, expired."""
        await self._ask("POST", f"/admin/messages/{token}", {"do": do})

    def tokens(self) -> dict[str, str]:
        """Return the partner's token of each message that it took, by its mark."""
        return {message["request"]["message"]["#txt"]: message["token"] for message in _messages(self._journal)}

    def taken(self) -> list[Taken]:
        return read_journal(self._journal)

    def acknowledged(self) -> list[Acknowledged]:
        """Return the receipts that were sent and acknowledged."""
        records = read(self._journal)
        events = [event for message in _messages(self._journal) for event in message["events"]]
        told = {event["id"]: event for event in events if event["do"] in STATUSES}
        settled = [record for record in records if record["record"] == "callback"]
        heard = [told[one["id"]] for one in settled if one["outcome"] == EventState.ACKNOWLEDGED and one["id"] in told]
        return [Acknowledged("viber", event["token"], STATUSES[event["do"]]) for event in heard]

    async def _ask(self, method: str, path: str, content: Mapping[str, object]) -> None:
        body = json.dumps(content).encode()
        head = f"{method} {path} HTTP/1.1\r\nhost: {self._process.host}\r\ncontent-length: {len(body)}\r\n\r\n"
        async with connect(self._process.url) as peer:
            await peer.send(head.encode() + body)
            reply = await peer.reply()
        assert reply.status == 200, reply


def read_journal(path: Path) -> list[Taken]:
    """Return the sends that a partner's journal says were accepted."""
    return [
        Taken(mark=message["request"]["message"]["#txt"], at=message["at"], sender=str(message["service_id"]))
        for message in _messages(path)
    ]


def _messages(path: Path) -> list[dict[str, Any]]:
    return [record["message"] for record in read(path) if record["record"] == "message"]


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
