"""All endpoints of the customers in one object, and what is stored of the reports that they are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgspec

from chatgate.callbacks.delivery import Hearing
from chatgate.store.search import Filter
from tests.store.customer import SEALED, Customer
from tests.store.journey import ACCOUNT
from tests.workers.stand import eventually

SECRET = bytes(range(32))
HEARD = Hearing(heard=True, reached=True, reason="")
REFUSED = Hearing(heard=False, reached=True, reason="The endpoint answered HTTP 500.")
SILENT = Hearing(heard=False, reached=False, reason="No answer within 3 seconds.")


class Post(msgspec.Struct, frozen=True):
    """One call of an endpoint."""

    url: str
    body: bytes
    headers: dict[str, str]

    @property
    def reports(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.body)
        return found


class World:
    """All endpoints there are: what they are posted, and what they answer."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.answer: Callable[[str], Hearing | asyncio.Future[Hearing]] = lambda _: HEARD
        """By URL; a future is an endpoint that takes its time."""
        self.open = 0

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Hearing:
        self.posts.append(Post(url, body, headers))
        answer = self.answer(url)
        if isinstance(answer, Hearing):
            return answer
        self.open += 1
        try:
            return await asyncio.shield(answer)
        finally:
            self.open -= 1

    @property
    def told(self) -> list[tuple[str, str]]:
        """MessageId and Status of each report, in the order in which they came."""
        return [(report["MessageId"], report["Status"]) for post in self.posts for report in post.reports]

    async def hears(self, count: int) -> None:
        """Return once so many reports have come."""

        async def there() -> bool:
            return len(self.told) >= count

        await eventually(there)


def open_secret(sealed: bytes, account_id: int) -> bytes:
    assert sealed == SEALED
    return SECRET


async def recorded(customer: Customer, state: str, count: int) -> None:
    """Return once so many reports of the only message are stored as being in this state."""

    async def there() -> bool:
        (message,) = await customer.store.list_messages(Filter(account_id=ACCOUNT))
        return [row.state for row in (await customer.journey.story(message.id)).callbacks].count(state) >= count

    await eventually(there)


async def only(customer: Customer) -> Any:
    """Return the only report of the account."""
    (message,) = await customer.store.list_messages(Filter(account_id=ACCOUNT))
    (row,) = (await customer.journey.story(message.id)).callbacks
    return row
