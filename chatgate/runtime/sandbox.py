"""The sandbox: a node with a simulated Viber partner beside it, seeded accounts, and routes to look inside.

The partner is a real HTTP server on a loopback port of its own: the provider reaches it, and its receipts reach us,
over the same wire as the real one's.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from chatgate.clock import SystemClock
from chatgate.config import Configuration
from chatgate.domain.routing import Route
from chatgate.errors import SettingError
from chatgate.providers.base import ProviderSettings
from chatgate.runtime.service import Node, Parts
from chatgate.sandbox import routes, seeds
from chatgate.sandbox.directory import SandboxDirectory
from chatgate.simulators.journal import JournalError
from chatgate.simulators.viber.app import app as viber_app
from chatgate.simulators.viber.partner import ViberPartner
from chatgate.simulators.viber.server import Server
from chatgate.simulators.viber.templates import Template

PROVIDER = "viber"
SEND_PATH = "/vibersrvc/1/send_message"


class Sandbox:
    """A node and its partner, as one service."""

    def __init__(self, configuration: Configuration, *, open_to_all: bool, on_fatal: Callable[[str], None]) -> None:
        self._configuration = configuration
        self._open = open_to_all
        self._on_fatal = on_fatal
        self._clock = SystemClock()
        self._stack = AsyncExitStack()
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
        folder.mkdir(parents=True, exist_ok=True)
        partner = ViberPartner(clock=self._clock, journal=folder / "viber-partner.journal", random=random.Random())
        try:
            await partner.start(resume=False)  # its callbacks wait until this node has an address
        except JournalError as error:
            raise SettingError(f"The journal of the simulated partner cannot be used: {error}.") from None
        partner_server = await Server.start(viber_app(partner))
        self._stack.push_async_callback(partner_server.stop)
        self._stack.push_async_callback(partner.stop)  # before its server, so that hanging calls are let go

        receipts_secret = secrets.token_urlsafe(24)
        configuration = self._with_partner(f"{partner_server.url}{SEND_PATH}", receipts_secret)

        async def compose(parts: Parts, _stack: AsyncExitStack) -> None:
            async def on_birth(name: str) -> None:
                _register(partner, name)

            directory = SandboxDirectory(parts.stored, parts.store, parts.key_ring, parts.clock, on_birth)
            parts.directory = directory
            parts.mounts["sandbox"] = routes.app(parts.store, partner, parts.clock, open_to_all=self._open)
            await parts.stored.refresh()
            await directory.born(seeds.MAIN_ACCOUNT)

        node = Node(configuration, on_fatal=self._on_fatal, compose=compose, clock=self._clock)
        await node.start()
        self._stack.push_async_callback(node.stop)
        self.url = node.url
        partner.set_callback_url(f"{_from_inside(node.url)}/receipts/{PROVIDER}/{receipts_secret}")
        partner.resume()

    def _with_partner(self, url: str, receipts_secret: str) -> Configuration:
        """Return the configuration with the simulated partner as the only provider."""
        settings = ProviderSettings(kind="viber_partner", url=url, receipts_secret=receipts_secret)
        route = Route(channel="viber", providers=(PROVIDER,))
        return msgspec.structs.replace(self._configuration, providers={PROVIDER: settings}, routes=(route,))


def _register(partner: ViberPartner, account: str) -> None:
    """Make the partner know an account's sender and template."""
    service_id = seeds.service_id(account)
    partner.register_service(service_id)
    template = Template(
        id=seeds.PARTNER_TEMPLATE, language=seeds.LANGUAGE, body=seeds.PARTNER_TEMPLATE_BODY, approved=True
    )
    partner.register_template(service_id, template)


def _from_inside(url: str) -> str:
    return url.replace("//0.0.0.0:", "//127.0.0.1:")


def banner(url: str) -> str:
    """Return what a person sees when the sandbox has started."""
    return f"""
  chatgate sandbox: nothing leaves this machine, no message reaches a real phone.

  endpoint            {url}
  AccessKeyId/secret  {seeds.MAIN_ACCOUNT} / {seeds.MAIN_ACCOUNT}   (or {seeds.ACCOUNT_PREFIX}anything, itself its
  secret) From                {seeds.SENDER}    CustSpaceId {seeds.SPACE}
  TemplateCode        {seeds.TEMPLATE}   language {seeds.LANGUAGE}, param1 and param2
  a phone             {url}/sandbox/phones/639170000001
  messages            {url}/sandbox/messages

  Numbers that end in 01 are seen, 03 expire, 38 have no Viber, 12 stay silent; every other is delivered.
  Ctrl+C stops; everything is kept in the data folder.
"""
