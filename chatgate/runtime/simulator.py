"""A simulated partner or SMS centre by itself: a server that an installation, or any other program, can send to."""

from __future__ import annotations

import os
import random
import socket
from contextlib import AsyncExitStack
from pathlib import Path

from chatgate.clock import SystemClock
from chatgate.errors import SettingError
from chatgate.simulators.journal import JournalError
from chatgate.simulators.sms.centre import SmsCentre
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
            raise _cannot_listen(self._host, self._port, error) from None
        self._stack.push_async_callback(server.stop)
        self.url = server.url

    async def stop(self) -> None:
        await self._stack.aclose()


class SmsSimulator:
    """The SMS centre, as one service. Everybody who binds is let in."""

    def __init__(self, *, host: str, port: int, journal: Path | None) -> None:
        """``journal`` None: nothing is kept."""
        self._host = host
        self._port = port
        self._centre = SmsCentre(clock=SystemClock(), journal=journal, random=random.Random())
        self.url = ""

    async def start(self) -> None:
        """Raises SettingError when the journal cannot be used or the address cannot be had."""
        try:
            await self._centre.start(self._host, self._port)
        except JournalError as error:
            raise SettingError(f"{error}.") from None
        except OSError as error:
            if error.filename is None:
                raise _cannot_listen(self._host, self._port, error) from None
            raise SettingError(f"The journal {error.filename} cannot be used: {error.strerror}.") from None
        self.url = f"smpp://{f'[{self._host}]' if ':' in self._host else self._host}:{self._centre.port}"

    async def stop(self) -> None:
        await self._centre.stop()


def _cannot_listen(host: str, port: int, error: OSError) -> SettingError:
    number = None if isinstance(error, socket.gaierror) else error.errno  # the resolver's numbers are its own
    because = os.strerror(number) if number else error.strerror
    return SettingError(f"The simulator cannot listen at {host}:{port}: {because}.")


def sms_banner(url: str) -> str:
    """Return what a person sees when the SMS centre has started."""
    return f"""
  chatgate's simulated SMS centre: nothing leaves this machine, no message reaches a real phone.

  bind to             {url}   (SMPP 3.4; any system_id, any password)

  Numbers that end in 71 are undeliverable, 72 are refused, 73 throttled once, 74 stay silent; every other is delivered.
  Ctrl+C stops.
"""


def viber_banner(url: str) -> str:
    """Return what a person sees when the partner has started."""
    return f"""
  chatgate's simulated Viber partner: nothing leaves this machine, no message reaches a real phone.

  send to             {url}{SEND_PATH}
  look inside         {url}/admin/requests, {url}/admin/phones/639170000001

  Every service id is taken. Numbers that end in 01 are seen, 03 expire, 38 have no Viber, 12 stay silent; every other
  is delivered. Ctrl+C stops.
"""
