from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatgate.clock import HandClock
from chatgate.sandbox import routes, seeds
from chatgate.store.accounts import NewAccount, Possessions
from chatgate.store.store import Store
from tests.fresh_store import fresh_store
from tests.sandbox.browser import Browser
from tests.sandbox.phones import Phones, SmsPhones

MAIN, OTHER = 1, 2
"""Accounts ``sandbox`` and ``sandbox-other``."""
OTHERS = {"account": "sandbox-other"}
"""The query that asks for the second."""


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[Store]:
    async with fresh_store(tmp_path, clock) as store:
        for account_id, name in ((MAIN, seeds.MAIN_ACCOUNT), (OTHER, "sandbox-other")):
            await store.create_account(
                NewAccount(account_id=account_id, name=name, now=clock.now(), possessions=Possessions())
            )
        yield store


@pytest.fixture
def phones() -> Phones:
    return Phones()


@pytest.fixture
def sms_phones() -> SmsPhones:
    return SmsPhones()


@pytest.fixture
def browser(store: Store, phones: Phones, sms_phones: SmsPhones, clock: HandClock) -> Browser:
    return Browser(routes.app(store, phones, sms_phones, clock, open_to_all=False))
