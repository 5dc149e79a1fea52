"""The runs: which processes they need, in which order, and the figures that come out."""

from __future__ import annotations

import os
import socket
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from bench import framing, gateway, process
from bench.gateway import Gateway, Role, port_of
from bench.ledger import Ledger
from bench.order import Order, Result, Spread
from bench.partner import Ports, Seen
from bench.plan import Plan
from bench.process import BenchError, Child

CALLS_AHEAD = 20_000
"""Calls signed for each second of a closed loop: more than can be accepted."""
EMPTY_CALLS = 10_000
RATE = 250
"""Calls a second of the open loop: the limit of one account of the real service."""
MOST_OPEN = 384
"""Cycles on their way: more than wait for the partner's receipts, fewer than a node keeps in its hands besides."""
TRIES = 3
"""Times that a latency run is made when the load itself was disturbed."""


class Figures(msgspec.Struct, kw_only=True):
    """All samples, in the order in which they were taken; rates are per second, times in seconds."""

    empty: list[float] = []
    empty_whole: list[float] = []
    """The same, each in one write."""
    accept: list[float] = []
    empty_cpu: list[float] = []
    """CPU seconds of the server for one empty reply; where others use the machine too, these say more than rates."""
    empty_whole_cpu: list[float] = []
    accept_cpu: list[float] = []
    filled: list[float] = []
    cycles: list[float] = []
    cycle_cpu: list[float] = []
    load_cpu: dict[str, list[float]] = {}
    """Share of its core that the load used, by the kind of run."""
    idle: Spread | None = None
    with_cycles: Spread | None = None
    lateness: dict[str, Spread] = {}
    busy: dict[str, float] = {}
    """Share of its core that the gateway used at the fixed rate."""
    start_fresh: list[float] = []
    start_existing: list[float] = []
    start_sandbox: list[float] = []
    memory: dict[str, tuple[float, float]] = {}
    """Resident megabytes after the load, and their peak, by the kind of run."""
    others: list[float] = []
    """Share of the machine that other work took, run by run."""
    fdatasync: float = 0.0
    """Seconds that 4 KiB take to reach the disk; median of 50."""
    faults: list[str] = []
    """Runs that do not count, and why."""


class Bench:
    """Everything that is measured, over data folders inside ``folder``."""

    def __init__(self, plan: Plan, folder: Path, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._folder = folder
        self._say = say
        self._server_core, self._load_core = process.cores()
        self._made = 0
        self._prepared = folder / "prepared"
        self._filled = folder / "filled"
        self.figures = Figures()

    def run(self) -> Figures:
        if self._load_core is not None:
            os.sched_setaffinity(0, {self._load_core})
        self.figures.fdatasync = _fdatasync(self._folder / "fdatasync")
        gateway.prepare(self._prepared)
        self._starts()
        self._say(f"filling a database with {self._plan.filled:,} messages")
        gateway.fill(gateway.copy(self._prepared, self._filled), self._plan.filled)
        for number in range(1, self._plan.rounds + 1):
            self._say(f"throughput, round {number} of {self._plan.rounds}")
            self._empty(self.figures.empty, self.figures.empty_cpu)
            self._empty(self.figures.empty_whole, self.figures.empty_whole_cpu, "whole")
            self._accept()
            self._accept_filled()
            self._cycles()
        self.figures.idle = self._latency("idle", cycles=False)
        self.figures.with_cycles = self._latency("with cycles", cycles=True)
        return self.figures

    # --- start-up ----------------------------------------------------------------------------------------------------

    def _starts(self) -> None:
        self._say("start-up")
        existing = gateway.copy(self._prepared, self._new())
        for _ in range(self._plan.starts):
            with self._gateway(self._new(), "all") as fresh:
                self.figures.start_fresh.append(fresh.ready_after)
            with self._gateway(existing, "all") as again:
                self.figures.start_existing.append(again.ready_after)
            arguments = ["-m", "chatgate", "sandbox", "--data", str(self._new()), "--port", "0"]
            with self._child("sandbox", arguments, self._server_core, here=self._folder) as sandbox:
                self.figures.start_sandbox.append(sandbox.ready_after)

    # --- throughput --------------------------------------------------------------------------------------------------

    def _empty(self, rates: list[float], cpu: list[float], *how: str) -> None:
        with self._child("empty", ["-m", "bench.empty", *how], self._server_core) as server:
            order = self._closed(port_of(server.ready), server.pid)
            result = self._load("empty", msgspec.structs.replace(order, calls=EMPTY_CALLS, again=True))
        rates.append(result.in_window / result.seconds)
        cpu.append(result.cpu["server"] / max(result.in_window, 1))

    def _accept(self) -> None:
        result = self._accept_into(gateway.copy(self._prepared, self._new()), "accept")
        self.figures.accept.append(result.in_window / result.seconds)
        self.figures.accept_cpu.append(result.cpu["server"] / max(result.in_window, 1))

    def _accept_filled(self) -> None:
        result = self._accept_into(self._filled, "accept on a filled database")
        self.figures.filled.append(result.in_window / result.seconds)

    def _accept_into(self, data: Path, kind: str) -> Result:
        before = Ledger(data).messages()
        with self._gateway(data, "api") as server:
            result = self._load(kind, self._closed(server.port, server.pid))
            self.figures.memory[kind] = server.memory()
        self._agree(kind, result.accepted, Ledger(data).messages() - before)
        return result

    def _cycles(self) -> None:
        data = gateway.copy(self._prepared, self._new())
        with ExitStack() as stack:
            ports, server, watch = self._with_partner(data, stack)
            order = msgspec.structs.replace(
                self._closed(server.port, server.pid), bell=ports.bell, most_open=MOST_OPEN, watch=watch
            )
            result = self._load("cycles", order)
            self._ask_partner("cycles", ports, result)
            self.figures.memory["cycles"] = server.memory()
        finished = Ledger(data).read_between(result.began, result.ended)
        self._agree("cycles", result.accepted, Ledger(data).messages("read"))
        self.figures.cycles.append(finished / result.seconds)
        self.figures.cycle_cpu.append(result.cpu["server"] / max(finished, 1))

    # --- latency -----------------------------------------------------------------------------------------------------

    def _latency(self, kind: str, *, cycles: bool) -> Spread | None:
        """Return the latencies at the fixed rate; a run in which the load was disturbed is made again."""
        for number in range(TRIES):
            self._say(f"latency, {kind}" + (f", again ({number + 1})" if number else ""))
            faults = len(self.figures.faults)
            result = self._latency_once(kind, cycles)
            disturbed = any(fault.startswith("the load was") for fault in result.faults)
            if not disturbed or number == TRIES - 1:
                break
            del self.figures.faults[faults:]
        if result.lateness is not None:
            self.figures.lateness[kind] = result.lateness
        self.figures.busy[kind] = result.cpu["server"] / result.seconds
        return result.latency

    def _latency_once(self, kind: str, cycles: bool) -> Result:
        plan, data = self._plan, gateway.copy(self._prepared, self._new())
        with ExitStack() as stack:
            if cycles:
                ports, server, watch = self._with_partner(data, stack)
            else:
                server = stack.enter_context(self._gateway(data, "api"))
                ports, watch = Ports(0, 0), {"server": server.pid}
            count = int((plan.latency_seconds + plan.warm) * RATE)
            order = Order(
                port=server.port, seconds=plan.latency_seconds, warm=plan.warm, calls=count, rate=RATE, bell=ports.bell,
                watch=watch,
            )  # fmt: skip
            result = self._load(kind, order)
            if cycles:
                self._ask_partner(kind, ports, result)
        self._agree(kind, result.accepted, Ledger(data).messages("read" if cycles else None))
        return result

    # --- processes ---------------------------------------------------------------------------------------------------

    def _new(self) -> Path:
        self._made += 1
        return self._folder / f"data-{self._made}"

    def _child(self, name: str, arguments: list[str], core: int | None, here: Path = process.ROOT) -> Child:
        return Child(name, arguments, core=core, folder=self._folder, here=here)

    def _gateway(self, data: Path, role: Role, partner: int = gateway.NOBODY) -> Gateway:
        return Gateway(data, role=role, partner=partner, core=self._server_core)

    def _with_partner(self, data: Path, stack: ExitStack) -> tuple[Ports, Gateway, dict[str, int]]:
        partner = stack.enter_context(self._child("partner", ["-m", "bench.partner"], self._load_core))
        ports = msgspec.json.decode(partner.ready, type=Ports)
        server = self._gateway(data, "all", ports.port)
        stack.callback(server.stop)
        _tell(ports, "PUT", server.receipts.encode())
        return ports, server, {"server": server.pid, "partner": partner.pid}

    def _closed(self, port: int, pid: int) -> Order:
        plan = self._plan
        ahead = int((plan.seconds + plan.warm) * CALLS_AHEAD)
        return Order(port=port, seconds=plan.seconds, warm=plan.warm, calls=ahead, watch={"server": pid})

    def _load(self, kind: str, order: Order) -> Result:
        printed = process.run(["-m", "bench.generator"], msgspec.json.encode(order), core=self._load_core)
        result = msgspec.json.decode(printed, type=Result)
        self.figures.others.append(result.others / result.seconds / (os.cpu_count() or 1))
        self.figures.load_cpu.setdefault(kind, []).append(result.cpu["load"] / result.seconds)
        self.figures.faults.extend(f"{kind}: {fault}" for fault in result.faults)
        return result

    def _ask_partner(self, kind: str, ports: Ports, result: Result) -> None:
        seen = msgspec.json.decode(_tell(ports, "GET", b""), type=Seen)
        self.figures.faults.extend(f"{kind}: receipt refused: {answer}" for answer in seen.refused[:3])
        self._agree(f"{kind}, sends", result.accepted, seen.sends)

    def _agree(self, kind: str, accepted: int, stored: int) -> None:
        if accepted != stored:
            self.figures.faults.append(f"{kind}: {accepted} were answered OK, {stored} are there")


def _tell(ports: Ports, method: str, body: bytes) -> bytes:
    answer = b""
    with socket.create_connection(("127.0.0.1", ports.port), timeout=5) as connection:
        connection.sendall(framing.request(method, "/", "partner", body))
        while not framing.size_of_first(answer):
            if not (piece := connection.recv(4096)):
                raise BenchError("The partner hung up.")
            answer += piece
    return framing.body_of(answer)


def _fdatasync(path: Path) -> float:
    took = []
    with path.open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    path.unlink()
    return statistics.median(took)
