"""The sandbox: a node with a simulated Viber partner and SMS centre beside it, seeded accounts, routes to look inside.

Partner and centre are real servers on loopback ports of their own: the providers reach them, and their receipts reach
us, over the same wire as the real ones'.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from chatgate.callbacks import guard
from chatgate.clock import SystemClock
from chatgate.config import Configuration
from chatgate.domain.routing import Route
from chatgate.errors import SettingError
from chatgate.providers.base import ProviderSettings
from chatgate.runtime.service import Node, Parts
from chatgate.sandbox import customer, routes, seeds
from chatgate.sandbox.directory import SandboxDirectory
from chatgate.sandbox.phones import SMS, VIBER
from chatgate.simulators.journal import JournalError
from chatgate.simulators.sms.centre import SmsCentre
from chatgate.simulators.viber.app import SEND_PATH
from chatgate.simulators.viber.app import app as viber_app
from chatgate.simulators.viber.partner import ViberPartner
from chatgate.simulators.viber.server import Server
from chatgate.simulators.viber.templates import Template

PARTNER_JOURNAL = "viber-partner.journal"


class Sandbox:
    """A node with all that is around it, as one service."""

    def __init__(self, configuration: Configuration, *, open_to_all: bool, on_fatal: Callable[[str], None]) -> None:
        self._configuration = configuration
        self._open = open_to_all
        self._on_fatal = on_fatal
        self._clock = SystemClock()
        self._stack = AsyncExitStack()
        self.node: Node
        """The node in the middle, once it has started."""
        self.url = ""

    async def start(self) -> None:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def stop(self) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        folder = Path(self._configuration.settings.data)
        if (folder / "chatgate.db").exists() and not (folder / PARTNER_JOURNAL).exists():
            raise SettingError(f"The folder {folder} holds an installation that is no sandbox; say another --data.")
        partner, viber_url = await self._start_partner(folder)
        centre = await self._start_centre(folder)
        receipts_secret = secrets.token_urlsafe(24)

        async def compose(parts: Parts, _stack: AsyncExitStack) -> None:
            async def on_birth(name: str) -> None:
                _register(partner, name)

            directory = SandboxDirectory(
                parts.stored, parts.store, parts.key_ring, parts.clock, on_birth,
                callback_batch=self._configuration.settings.callback_batch,
            )  # fmt: skip
            parts.directory = directory
            parts.plain_bearer = True  # nothing of a sandbox is worth hiding, and it has no certificate
            parts.callback_url = lambda url: customer.resolved(url, node.url)
            parts.callback_addresses = lambda address: may_be_called(address, node.url)
            parts.mounts["sandbox"] = routes.app(parts.store, partner, centre, parts.clock, open_to_all=self._open)
            await parts.stored.refresh()
            await directory.born(seeds.MAIN_ACCOUNT)

        configuration = self._simulated(viber_url, receipts_secret, centre.port)
        node = Node(configuration, on_fatal=self._on_fatal, compose=compose, clock=self._clock, kind="sandbox")
        self.node = node
        await node.start()
        self._stack.push_async_callback(node.stop)
        self.url = node.url
        partner.set_callback_url(f"{node.url}/receipts/{VIBER}/{receipts_secret}")
        partner.resume()

    async def _start_partner(self, folder: Path) -> tuple[ViberPartner, str]:
        """Start the simulated Viber partner; return it with the URL to send to."""
        partner = ViberPartner(clock=self._clock, journal=folder / PARTNER_JOURNAL, random=random.Random())
        try:
            await partner.start(resume=False)  # its callbacks wait until this node has an address
        except (JournalError, OSError) as error:
            raise SettingError(f"The journal of the simulated partner cannot be used: {error}.") from None
        server = await Server.start(viber_app(partner))
        self._stack.push_async_callback(server.stop)
        self._stack.push_async_callback(partner.stop)  # before its server, so that hanging calls are let go
        return partner, f"{server.url}{SEND_PATH}"

    async def _start_centre(self, folder: Path) -> SmsCentre:
        """Start the simulated SMS centre. Its receipts wait until this node binds."""
        centre = SmsCentre(clock=self._clock, journal=folder / "sms-centre.journal", random=random.Random())
        try:
            await centre.start()
        except (JournalError, OSError) as error:
            raise SettingError(f"The journal of the simulated SMS centre cannot be used: {error}.") from None
        self._stack.push_async_callback(centre.stop)
        return centre

    def _simulated(self, viber_url: str, receipts_secret: str, sms_port: int) -> Configuration:
        """Return the configuration with the simulators as the only providers."""
        viber = ProviderSettings(kind="viber_partner", url=viber_url, receipts_secret=receipts_secret)
        sms = ProviderSettings(
            kind="smpp",
            url=f"smpp://127.0.0.1:{sms_port}",
            receipts_secret=receipts_secret,
            options={"system_id": "sandbox", "password": "sandbox"},
        )
        routes = (Route(channel="viber", providers=(VIBER,)), Route(channel="sms", providers=(SMS,)))
        return msgspec.structs.replace(self._configuration, providers={VIBER: viber, SMS: sms}, routes=routes)


def _register(partner: ViberPartner, account: str) -> None:
    """Make the partner know an account's sender and template."""
    service_id = seeds.service_id(account)
    partner.register_service(service_id)
    template = Template(
        id=seeds.PARTNER_TEMPLATE, language=seeds.LANGUAGE, body=seeds.PARTNER_TEMPLATE_BODY, approved=True
    )
    partner.register_template(service_id, template)


def may_be_called(address: str, own_url: str) -> bool:
    """Whether a customer's endpoint may have an address: the Internet's, this machine's own, and the sandbox's.

    A program under test listens on the machine of its developer; a network behind it is none of the sandbox's business.
    """
    return guard.is_public(address) or guard.is_loopback(address) or address == urlsplit(own_url).hostname


def banner(url: str) -> str:
    """Return what a person sees when the sandbox has started."""
    return f"""
  chatgate sandbox: nothing leaves this machine, no message reaches a real phone.

  endpoint            {url}
  AccessKeyId/secret  {seeds.MAIN_ACCOUNT} / {seeds.MAIN_ACCOUNT}
                      (every other key that begins with {seeds.ACCOUNT_PREFIX} is an account, and its own secret)
  From                {seeds.SENDER}    CustSpaceId {seeds.SPACE}
  TemplateCode        {seeds.TEMPLATE}   language {seeds.LANGUAGE}, param1 and param2
  FallBackId          {seeds.POLICY}
  a phone             {url}/sandbox/phones/639170000001
  messages            {url}/sandbox/messages
  callbacks           {url}/sandbox/callbacks

  Numbers that end in 01 are seen, 03 expire, 38 have no Viber, 12 stay silent; every other is delivered.
  Ctrl+C stops; everything is kept in the data folder.
"""
