"""The one HTTP client of the partner: posts JSON, tells the status."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

NO_ANSWER = 0


class HttpPost:
    """Call it to post. The client lives until ``close``."""

    def __init__(self, timeout: int) -> None:
        """``timeout`` in milliseconds, of the machine's time, whatever the partner's clock says."""
        self._timeout = timedelta(milliseconds=timeout)

    async def __call__(self, url: str, body: bytes) -> int:
        """Return the HTTP status, or ``NO_ANSWER`` if there was none in time."""
        try:
            request = self._client.post(url).header("content-type", "application/json").body_bytes(body).build()
            response = await request.send()
        except (PyreqwestError, ValueError):  # ValueError: an address that is none
            return NO_ANSWER
        return response.status

    async def close(self) -> None:
        if "_client" in self.__dict__:
            await self._client.close()

    @cached_property
    def _client(self) -> Client:  # 40 ms: not before the first callback
        return ClientBuilder().timeout(self._timeout).follow_redirects(False).no_proxy().build()
