"""Keeps one session bound: connects, binds, asks now and then whether the centre is still there, and starts again.

Between two tries it waits as ``domain.retry`` says, but for at most a minute or so. A centre that refuses the bind is
asked again too: its operator may mend what is wrong without telling us.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from chatgate.clock import SECOND
from chatgate.domain.retry import backoff
from chatgate.providers.smpp.options import Target
from chatgate.providers.smpp.session import ENQUIRE_LINK, UNBIND, BindRefused, Deliver, Session, SessionEnded

log = structlog.get_logger(__name__)

MOST_DOUBLINGS = 7
"""The wait stops growing at 64 seconds."""
FAREWELL = 2.0
"""Seconds that the centre has to answer an unbind."""


class Link:
    """``session`` is the bound session, or None; ``trouble`` then says why."""

    def __init__(self, name: str, target: Target, deliver: Deliver, jitter: Callable[[], float]) -> None:
        self._name = name
        self._target = target
        self._deliver = deliver
        self._jitter = jitter
        self._task: asyncio.Task[None] | None = None
        self._bound: Session | None = None
        self.trouble = "not connected yet"

    @property
    def session(self) -> Session | None:
        bound = self._bound
        return bound if bound is not None and bound.is_open else None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep(), name=f"{self._name}-link")

    async def stop(self) -> None:
        """Unbind, and let the connection end."""
        if self._task is None:
            return
        session = self.session
        if session is not None:
            with contextlib.suppress(SessionEnded, TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await session.request(UNBIND)
        self._task.cancel()
        await asyncio.wait({self._task})
        self._task = None

    async def _keep(self) -> None:
        failures = 0
        while True:
            try:
                session = await self._open()
            except Exception as error:  # whatever it was, it is tried again
                failures += 1
                self.trouble = str(error) if isinstance(error, BindRefused) else type(error).__name__
                log.warning("smpp.not_bound", provider=self._name, cause=self.trouble)
            else:
                failures = 1
                self._bound = session
                log.info("smpp.bound", provider=self._name)
                try:
                    await self._look_after(session)
                finally:
                    self._bound = None
                    session.close()
                self.trouble = "the session ended"
                log.warning("smpp.session_ended", provider=self._name)
            await asyncio.sleep(backoff(min(failures, MOST_DOUBLINGS), self._jitter()) / SECOND)

    async def _open(self) -> Session:
        target = self._target
        async with asyncio.timeout(target.reply_timeout):
            _, session = await asyncio.get_running_loop().create_connection(
                lambda: Session(self._deliver), target.host, target.port, ssl=target.tls
            )
            try:
                await session.bind(target.options)
            except BaseException:
                session.close()
                raise
        return session

    async def _look_after(self, session: Session) -> None:
        """Return when the session is over, or no longer answers."""
        while True:
            await asyncio.wait({session.ended}, timeout=self._target.options.enquire_link)
            if session.ended.done():
                return
            try:
                async with asyncio.timeout(self._target.reply_timeout):
                    await session.request(ENQUIRE_LINK)
            except (TimeoutError, SessionEnded):
                return
