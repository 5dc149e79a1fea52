"""A node of ``serve`` on a machine whose time is ours to choose, with a partner and an SMS centre elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from tests.e2e.caller import get
from tests.e2e.installation import Installation, receipts_url
from tests.e2e.partner import Partner
from tests.e2e.processes import Process, Processes, free_port
from tests.soak.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Machine:
    node: Process
    partner: Partner
    evidence: Evidence
    database: str
    sms_journal: Path

    def texted(self) -> list[tuple[str, str]]:
        """Return number and text of each SMS that the centre took."""
        records = [json.loads(line) for line in self.sms_journal.read_bytes().split(b"\n")[:-1]]
        parts = [record["part"] for record in records if record["record"] == "accepted"]
        return [(part["number"], part["text"]) for part in parts]

    def column(self, name: str, marks: Sequence[str]) -> list[int | str | None]:
        """Return one column of the messages with these marks."""
        rows = self._rows(f"SELECT {name}, draft FROM messages WHERE parent_id IS NULL")
        found = {json.loads(draft)["content"]["text"]: value for value, draft in rows}
        return [found[mark] for mark in marks]

    def noted(self, event: str) -> set[str]:
        """Return the numbers of the messages with a note of this event."""
        noted = "SELECT recipient FROM messages JOIN notes ON message_id = messages.id WHERE event = :event"
        return {number for (number,) in self._rows(noted, event=event)}

    def _rows(self, sql: str, **values: str) -> list[tuple[Any, ...]]:
        engine = create_engine(self.database)
        with engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(text(sql), values)]
        engine.dispose()
        return rows

    async def metric(self, name: str) -> float:
        page = (await get(self.node.url, "/metrics")).body.decode()
        return next(float(line.split()[-1]) for line in page.splitlines() if line.startswith(f"chatgate_{name} "))


@asynccontextmanager
async def machine(folder: Path, *shifted: object) -> AsyncIterator[Machine]:
    """Start it; ``shifted``: options of ``tests.e2e.shifted``."""
    async with Processes(folder) as processes:
        port, journal = free_port(), folder / "sms.journal"
        partner = await Partner.start(processes, folder, receipts_url(port))
        centre = await processes.start("chatgate", "simulate", "sms", "--port", 0, "--journal", journal)
        installation = Installation(processes, folder)
        await installation.configure(partner.send_url, centre_url=centre.url)
        node = await installation.start(port, program=("tests.e2e.shifted", *shifted))
        with Evidence(installation.database) as evidence:
            yield Machine(node, partner, evidence, installation.database, journal)
