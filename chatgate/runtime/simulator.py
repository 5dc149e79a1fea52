"""A simulated partner by itself: a server that an installation, or a program of somebody else, can send to."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from pathlib import Path

from chatgate.clock import SystemClock
from chatgate.errors import SettingError
from chatgate.simulators.journal import JournalError
from chatgate.simulators.viber.app import SEND_PATH, app
from chatgate.simulators.viber.partner import ViberPartner
from chatgate.simulators.viber.server import Server


class ViberSimulator:
    """The Viber partner, as one service. Every service id is taken, and known from its first use on."""

    def __init__(self, *, host: str, port: int, journal: Path | None, callback_url: str | None) -> None:
        """``journal`` None: nothing is kept. ``callback_url``: where receipts of services without their own go."""
        self._host = host
        self._port = port
        self._journal = journal
        self._partner = ViberPartner(
            clock=SystemClock(), journal=journal, random=random.Random(), callback_url=callback_url,
            allow_any_service=True,
        )  # fmt: skip
        self._stack = AsyncExitStack()
        self.url = ""

    async def start(self) -> None:
        """Raises SettingError when the journal cannot be used or the address cannot be had."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def _start(self) -> None:
        self._stack.push_async_callback(self._partner.stop)
        try:
            await self._partner.start()
        except JournalError as error:
            raise SettingError(f"{error}.") from None
        except OSError as error:
            raise SettingError(f"The journal {self._journal} cannot be used: {error.strerror}.") from None
        try:
            server = await Server.start(app(self._partner), host=self._host, port=self._port)
        except OSError as error:
            raise SettingError(f"The simulator cannot listen at {self._host}:{self._port}: {error.strerror}.") from None
        self._stack.push_async_callback(server.stop)
        self.url = server.url

    async def stop(self) -> None:
        await self._stack.aclose()


def banner(url: str) -> str:
    """Return what a person sees when the simulator has started."""
    return f"""
  chatgate's simulated Viber partner: nothing leaves this machine, no message reaches a real phone.

  send to             {url}{SEND_PATH}
  look inside         {url}/admin/requests, {url}/admin/phones/639170000001

  Every service id is taken. Numbers that end in 01 are seen, 03 expire, 38 have no Viber, 12 stay silent; every other
  is delivered. Ctrl+C stops.
"""
