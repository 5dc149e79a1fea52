"""How customers are told: signed, under one id over all tries, at the resolved address (promise P14)."""

from __future__ import annotations

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from chatgate.callbacks import signature
from chatgate.clock import HandClock, SystemClock
from chatgate.domain.callback import RETRIES
from tests.store.customer import Customer
from tests.store.journey import Journey
from tests.workers.conftest import Damage, Start
from tests.workers.endpoints import REFUSED, SECRET, World, only
from tests.workers.stand import eventually


async def test_signed(start: Start, journey: Journey, customer: Customer, world: World, clock: HandClock) -> None:
    clock.set(SystemClock().now())  # receivers look at their own clock
    start()
    await journey.sent("t")
    await world.hears(1)
    (post,) = world.posts
    assert Webhook(signature.as_text(SECRET)).verify(post.body, post.headers) == post.reports
    with pytest.raises(WebhookVerificationError):
        Webhook(signature.as_text(bytes(32))).verify(post.body, post.headers)


async def test_the_same_id_over_all_tries(
    start: Start, journey: Journey, customer: Customer, world: World, clock: HandClock
) -> None:
    """And the same body; the time is that of the try."""
    world.answer = lambda _: REFUSED
    start()
    await journey.sent("1")
    for tries, wait in enumerate((*RETRIES[:3], 0), start=1):
        await world.hears(tries)

        async def stored(tries: int = tries) -> bool:
            return bool((await only(customer)).tries == tries)

        await eventually(stored)
        clock.advance(wait)
    first, *more = world.posts
    assert {(post.body, post.headers["webhook-id"]) for post in more} == {(first.body, first.headers["webhook-id"])}
    assert len({post.headers["webhook-timestamp"] for post in world.posts}) == 4
    assert len({post.headers["webhook-signature"] for post in world.posts}) == 4


async def test_without_a_secret_unsigned(
    start: Start, journey: Journey, customer: Customer, world: World, damage: Damage
) -> None:
    damage("UPDATE accounts SET callback_secret = NULL WHERE id = ?", 7)
    start()
    await journey.sent("t")
    await world.hears(1)
    assert world.posts[0].headers == {}


async def test_the_address_is_resolved(start: Start, journey: Journey, customer: Customer, world: World) -> None:
    start(resolve=lambda url: url.replace("shop.example", "127.0.0.1:4711"))
    await journey.sent("t")
    await world.hears(1)
    assert world.posts[0].url == "https://127.0.0.1:4711/hook"
