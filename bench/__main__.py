"""``python -m bench``: measure, print one table, write ``bench-results/bench.json``."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from bench import report
from bench.measure import Bench
from bench.plan import QUICK, Plan
from bench.process import BenchError

RESULTS = Path("bench-results")


def main() -> int:
    """Return 0 when every run counts, whether or not the targets are met; 1 when one does not; 2 for no result."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that processes and folders go on SIGTERM too
    arguments = _arguments()
    plan = QUICK if arguments.quick else Plan()
    if arguments.filled is not None:
        plan = msgspec.structs.replace(plan, filled=arguments.filled)
    RESULTS.mkdir(exist_ok=True)
    began = time.monotonic()
    try:
        # On the disk of the results, not in /tmp, which may be memory: an fsync must cost what it costs.
        with tempfile.TemporaryDirectory(prefix="data-", dir=RESULTS) as folder:
            figures = Bench(plan, Path(folder).resolve(), lambda step: print(f"bench: {step}", file=sys.stderr)).run()
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    rows = report.rows(figures, plan)
    report.show(figures, rows, plan)
    report.save(figures, rows, plan, RESULTS / "bench.json")
    print(f"bench: {time.monotonic() - began:.0f} s; {RESULTS / 'bench.json'}", file=sys.stderr)
    return 1 if figures.faults else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measure the gateway side by side with empty replies.")
    parser.add_argument("--quick", action="store_true", help="a smoke run of some 20 seconds; its figures say little")
    parser.add_argument("--filled", type=int, metavar="N", help="messages in the filled database (default 100000)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
