from __future__ import annotations

from secrets import token_bytes

from chatgate.clock import SECOND, HandClock
from chatgate.domain.account import Standing, Template
from chatgate.domain.review import TemplateText, Verdict
from chatgate.store.store import Store
from chatgate.store.templates import Creation, Naming, Wanted
from chatgate.workers.review_timer import AT_ONCE, ReviewTimer
from tests.store.customer import Customer
from tests.store.journey import ACCOUNT


async def test_everything_that_is_due_in_one_round(store: Store, clock: HandClock, customer: Customer) -> None:
    """Also what is more than one sweep takes, and nothing else."""
    now = clock.now()
    for number in range(AT_ONCE + 2):
        late = number > AT_ONCE
        template = Template(
            template_code=f"c{number}", language="en", name=f"n{number}", body="Hi", standing=Standing.PENDING
        )
        verdict = Verdict(standing=Standing.PENDING, review_at=now + (60 + late) * SECOND)
        text = TemplateText(category="text", components=[])
        creation = Creation(
            account_id=ACCOUNT, template=template, text=text, verdict=verdict, author="ak-1", now=now,
            nonce=token_bytes(16),
        )  # fmt: skip
        await store.create_template(creation)

    async def pending() -> int:
        return (await store.list_templates(Wanted(which=Naming(account_id=ACCOUNT), standing=Standing.PENDING)))[1]

    timer = ReviewTimer(store, clock)
    await timer.approve()
    assert await pending() == AT_ONCE + 2
    clock.advance(60 * SECOND)
    clock.steady = False  # it was set: nobody knows what is due
    await timer.approve()
    assert await pending() == AT_ONCE + 2
    clock.steady = True
    await timer.approve()
    assert await pending() == 1
