"""The power is cut under the store, hundreds of times; and the canary that must not survive it.

Each in a process of its own: the driver of the database is another there.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys

from tests.e2e.processes import ROOT


async def cut(*options: object) -> tuple[int, str]:
    """Run it; return its exit status and what it says."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.power_cut", *map(str, options),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    said, _ = await child.communicate()
    return await child.wait(), said.decode()


async def test_nothing_that_was_told_is_lost() -> None:
    status, said = await cut("--cuts", 300)
    assert status == 0, said
    told = re.search(r"300 power cuts, synchronous as the store says, (\d+) promises; 0 lost", said)
    assert told is not None, said
    assert int(told[1]) > 3000, "hardly anything was told before the cuts"


async def test_canary_whose_commits_are_not_on_disk_is_caught() -> None:
    status, said = await cut("--cuts", 60, "--synchronous", "NORMAL")
    assert status == 1, said
    assert re.search(r"^lost: the message \d+ was accepted$", said, re.MULTILINE), said
    assert "corrupt" not in said.replace("torn or corrupt", ""), said
