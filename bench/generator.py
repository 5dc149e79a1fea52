"""The load, a process of its own: an ``Order`` in JSON on stdin, a ``Result`` in JSON on stdout.

Rules:

1. Every call is signed before the first is sent, and sent once.
2. An answer that is not 200 and OK, or a lost connection, is a fault: the run does not count.
3. An open loop that was itself late or busy measures itself: that is a fault too (reliability promise P4).
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

import msgspec
import uvloop

from bench import calls
from bench.bell import Bell
from bench.load import ClosedLoop, Load, OpenLoop
from bench.order import Order, Result, Spread

HOST = "127.0.0.1"

BUSIEST = 0.6
"""Share of its core that an open loop may use."""
LATEST = 5.0
"""Milliseconds of lateness at p99 of an open loop."""

REST = 15.0
"""Seconds that answers and cycles have to come in after the last call."""


class _Mark(NamedTuple):
    """One end of the window."""

    at: float
    wall: int
    accepted: int
    cycles: int
    cpu: dict[str, float]


async def run(order: Order) -> Result:
    """Carry out one order."""
    signed = list(calls.signed(f"{HOST}:{order.port}", order.calls))
    gc.freeze()
    gc.disable()
    bell = await Bell.at(HOST, order.bell) if order.bell else None
    load: Load
    if order.rate:
        load = OpenLoop(signed, rate=order.rate)
    else:
        load = ClosedLoop(signed, again=order.again, most_open=order.most_open, bell=bell)
    await load.start(HOST, order.port, order.connections)
    await load.for_seconds(order.warm)
    began = _mark(order, load, bell)
    await load.for_seconds(order.seconds)
    ended = _mark(order, load, bell)
    faults = await _come_to_rest(load, bell)
    return _result(load, began, ended, faults)


def _mark(order: Order, load: Load, bell: Bell | None) -> _Mark:
    cpu = {name: _cpu_seconds(pid) for name, pid in order.watch.items()}
    cpu |= {"load": time.process_time(), "machine": _machine_seconds()}
    rung = 0 if bell is None else bell.rung
    return _Mark(time.perf_counter(), time.time_ns() // 1_000_000, load.accepted, rung, cpu)


def _cpu_seconds(pid: int) -> float:
    """Return user and system time of all threads (proc(5), stat: fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _machine_seconds() -> float:
    """Return what all processes together have used (proc(5), stat: the first line)."""
    user, nice, system, _idle, _iowait, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


async def _come_to_rest(load: Load, bell: Bell | None) -> list[str]:
    """Wait for what is on its way; return what went wrong in the whole run."""
    deadline = time.perf_counter() + REST
    load.stop()
    while load.open or (bell is not None and bell.rung < load.accepted):
        if load.faults or time.perf_counter() > deadline:
            break
        await asyncio.sleep(0.01)
    faults = list(load.faults)
    if load.open:
        faults.append(f"{load.open} calls have no answer")
    if bell is not None and bell.rung != load.accepted:
        faults.append(f"{load.accepted} calls were accepted, {bell.rung} cycles finished")
    load.close()
    return faults


def _result(load: Load, began: _Mark, ended: _Mark, faults: list[str]) -> Result:
    seconds = ended.at - began.at
    cpu = {name: ended.cpu[name] - before for name, before in began.cpu.items()}
    latency = lateness = None
    if ended.accepted == began.accepted:
        faults.append("nothing was answered inside the window")
    if isinstance(load, OpenLoop):
        latency, lateness = Spread.of(load.latencies(began.at, ended.at)), Spread.of(load.lateness)
        if lateness.p99 > LATEST:
            faults.append(f"the load was late: {lateness.p99} ms at p99")
        if cpu["load"] > BUSIEST * seconds:
            faults.append(f"the load was busy: {cpu['load'] / seconds:.0%} of its core")
    return Result(
        accepted=load.accepted, in_window=ended.accepted - began.accepted, cycles=ended.cycles - began.cycles,
        seconds=seconds, began=began.wall, ended=ended.wall, cpu=cpu, latency=latency, lateness=lateness, faults=faults,
    )  # fmt: skip


def main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    result = uvloop.run(run(order))
    sys.stdout.buffer.write(msgspec.json.encode(result))


if __name__ == "__main__":
    main()
