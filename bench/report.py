"""The figures as one table with the target of each row beside it, and as JSON."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench.measure import RATE, Figures
from bench.order import Spread
from bench.plan import Plan


class Target(msgspec.Struct, frozen=True):
    """What a row is to reach, with the gateway on one core."""

    value: float
    most: bool = False
    """The value is an upper bound; else a lower one."""

    def met(self, value: float) -> bool:
        return value <= self.value if self.most else value >= self.value


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table."""

    what: str
    value: float
    unit: str
    lowest: float | None = None
    highest: float | None = None
    target: Target | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.target.met(self.value)


def rows(figures: Figures, plan: Plan) -> list[Row]:
    """Return the table, top to bottom."""
    f = figures
    ratios = [ours / theirs for ours, theirs in zip(f.accept, f.empty, strict=True)]
    by_cpu = [theirs / ours for ours, theirs in zip(f.accept_cpu, f.empty_cpu, strict=True)]
    kept = [filled / fresh for filled, fresh in zip(f.filled, f.accept, strict=True)]
    filled = f"{plan.filled:,} messages stored"
    return [
        _samples("empty replies, same request bytes", f.empty, "/s", note=_load(f, "empty")),
        _samples("the same, each in one write", f.empty_whole, "/s"),
        _samples("accepted calls", f.accept, "/s", Target(6000), _load(f, "accept")),
        _samples("accepted / empty replies", ratios, "×", Target(0.14)),
        _samples("the same by CPU time", by_cpu, "×", Target(0.14)),
        _samples("CPU of an empty reply", _scaled(f.empty_cpu, 1e6), "µs"),
        _samples("CPU of one in one write", _scaled(f.empty_whole_cpu, 1e6), "µs"),
        _samples("CPU of an accepted call", _scaled(f.accept_cpu, 1e6), "µs"),
        _samples(f"accepted calls, {filled}", f.filled, "/s"),
        _samples(f"the same / fresh database, {filled}", kept, "×"),
        _samples("whole cycles", f.cycles, "/s", Target(1500), _load(f, "cycles")),
        _samples("CPU of a whole cycle", _scaled(f.cycle_cpu, 1e6), "µs"),
        *_latency(f, "idle", f.idle, None),
        *_latency(f, "with cycles", f.with_cycles, Target(15, most=True)),
        _samples("ready, fresh data folder", f.start_fresh, "s", Target(1.5, most=True)),
        _samples("ready, existing data folder", f.start_existing, "s", Target(1.5, most=True)),
        _samples("ready, sandbox", f.start_sandbox, "s", Target(1.5, most=True)),
        *_memory(f),
    ]


def show(figures: Figures, table_rows: Sequence[Row], plan: Plan) -> None:
    """Print the table, and which runs do not count."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("", "value", "lowest", "highest", "target", "", ""):
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    for row in table_rows:
        sign = "" if row.target is None else f"{'≤' if row.target.most else '≥'} {_number(row.target.value)}"
        bounds = ["" if bound is None else _number(bound) for bound in (row.lowest, row.highest)]
        verdict = {None: "", True: "met", False: "MISSED"}[row.met]
        table.add_row(row.what, f"{_number(row.value)} {row.unit}", *bounds, sign, verdict, row.note)
    console = Console(highlight=False, markup=False, emoji=False, width=None if os.isatty(1) else 140)
    console.print(table)
    console.print(
        f"{_machine()}; fdatasync of 4 KiB {figures.fdatasync * 1000:.2f} ms;"
        f" rates are medians of {plan.rounds} rounds of {plan.seconds:g} s."
    )
    console.print(
        f"Other work took {statistics.median(figures.others):.0%} of the machine,"
        f" {max(figures.others):.0%} in the worst run."
        " With more than a little, only CPU times are sound."
    )
    if not figures.faults:
        console.print("Every answer was OK, and the databases hold exactly these messages.")
    for fault in figures.faults:
        console.print(f"DOES NOT COUNT  {fault}")


def save(figures: Figures, table_rows: Sequence[Row], plan: Plan, path: Path) -> None:
    """Write the rows and every sample as JSON."""
    lines = [msgspec.to_builtins(row) | {"met": row.met} for row in table_rows]
    whole = {"machine": _machine(), "plan": plan, "rows": lines, "samples": figures, "counts": not figures.faults}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")


def _samples(what: str, values: Sequence[float], unit: str, target: Target | None = None, note: str = "") -> Row:
    median = statistics.median(values)
    lowest, highest = min(values), max(values)
    return Row(what=what, value=median, lowest=lowest, highest=highest, unit=unit, target=target, note=note)


def _latency(figures: Figures, kind: str, spread: Spread | None, target: Target | None) -> list[Row]:
    if spread is None:
        return []
    busy = f"gateway {figures.busy[kind]:.0%} busy"
    late = f"load late by {figures.lateness[kind].p99:.2f} ms at p99"
    return [
        Row(what=f"accept latency at {RATE}/s, {kind}: p50", value=spread.p50, unit="ms", note=busy),
        Row(what=f"accept latency at {RATE}/s, {kind}: p99", value=spread.p99, unit="ms", target=target, note=late),
        Row(what=f"accept latency at {RATE}/s, {kind}: highest", value=spread.highest, unit="ms"),
    ]


def _memory(figures: Figures) -> list[Row]:
    most, note = Target(150, most=True), "highest: its peak"
    return [
        Row(what=f"resident memory after {kind}", value=now, highest=peak, unit="MB", target=most, note=note)
        for kind, (now, peak) in figures.memory.items()
    ]


def _load(figures: Figures, kind: str) -> str:
    return f"load {statistics.median(figures.load_cpu[kind]):.0%} busy"


def _scaled(values: Sequence[float], by: float) -> list[float]:
    return [value * by for value in values]


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 20 else f"{value:.3f}".rstrip("0").rstrip(".")


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
