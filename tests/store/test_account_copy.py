"""An account copied out of one installation and into another: the same file comes out again, with either database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import msgspec
import pytest

from chatgate.callbacks import signature
from chatgate.cli import account_file
from chatgate.cli.account_file import Secrets
from chatgate.clock import HandClock
from chatgate.domain.account import (
    AccessKey,
    FallbackPolicy,
    KeyKind,
    Sender,
    Space,
    Standing,
    Template,
)
from chatgate.domain.message import Content, MessageType
from chatgate.domain.review import Decision, TemplateText, Verdict
from chatgate.domain.sender_request import AuditResult, SenderRequest
from chatgate.errors import NameTaken
from chatgate.gateway.authenticate import purpose
from chatgate.sealing import KeyRing
from chatgate.store.access_keys import KeySwitch
from chatgate.store.account_copy import AccountCopy, Restoration
from chatgate.store.accounts import Gift, NewAccount, Possessions
from chatgate.store.endpoints import EndpointChange, EndpointOrder
from chatgate.store.ram import Attachment, NewUser, PolicyText
from chatgate.store.senders import Filing, SenderJudgement
from chatgate.store.store import Store
from chatgate.store.templates import Creation, Judgement, Naming
from tests.store.conftest import RING, Tamper

WORDS = "a passphrase of the test"
OTHER_RING = KeyRing({7: b"o" * 32})
ACCOUNT = 4711
POLICY = (
    '{"Version": "1", "Statement": [{"Effect": "Deny", "Action": "cams:Delete*", '
    f'"Resource": ["acs:cams:*:{ACCOUNT}:*"]}}]}}'
)
RSA = (
    b"-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKi8gLVbCVyoPfGeu6+sjJTgMzsLZKLd\n"
    b"d6zX1uDG1pNcSEAQGdQyHXhzg9FT+ogTYGK4pHn8uKNhHD2AYzCf3iMCAwEAAQ==\n-----END PUBLIC KEY-----\n"
)


@pytest.fixture
async def elsewhere(empty_url: str, clock: HandClock) -> AsyncIterator[Store]:
    """Another installation, with a key ring of its own."""
    store = await Store.open(empty_url, clock=clock, key_ring=OTHER_RING, on_fatal=pytest.fail)
    yield store
    await store.close()


@pytest.fixture
async def there(store: Store, clock: HandClock, tamper: Tamper) -> Store:
    """An installation with an account that has everything that an account can have."""
    now = clock.now()
    possessions = Possessions(
        keys=[_hmac("own-key")],
        spaces=[
            Space(space_id="s-2", retry_by_task=True, clamp_ttl=True),
            Space(space_id="s-1", made_at=now, details={"InstanceName": "Café"}),
        ],
        senders=[Sender(sender="27549", channel="viber", service_id="4100", standing=Standing.APPROVED)],
        templates=[
            Template(
                template_code="old", language="fil", name="old", body="Hi", standing=Standing.APPROVED, partner_id="p-1"
            )
        ],
        policies=[FallbackPolicy(policy_id="S_000001", name="all", sms_sender="shop", enabled=False)],
    )
    await store.create_account(
        NewAccount(
            account_id=ACCOUNT, name="shop", now=now, possessions=possessions, subscribed=False, calls_per_second=17
        )
    )
    await _templates(store, now)
    await store.judge_sender(
        SenderJudgement(
            account_id=ACCOUNT, sender="27549", decision=Decision.PAUSE, reviewer="op", reason="Complaints.", now=now
        )
    )
    for number, name in enumerate(("bob", "alice"), start=1):
        await store.create_user(NewUser(account_id=ACCOUNT, user_id=number, name=name, now=now))
    await store.put_policy(PolicyText(account_id=ACCOUNT, name="no-deleting", text=POLICY, now=now))
    for policy in ("no-deleting", "AliyunCamsFullAccess"):
        await store.attach_policy(Attachment(account_id=ACCOUNT, user="alice", policy=policy, attached=True, now=now))
    rsa = AccessKey(access_key_id="rsa-key", account_id=ACCOUNT, kind=KeyKind.RSA, sealed=RSA, active=True, user_id=1)
    more = Possessions(keys=[_hmac("alice-key", user_id=2), rsa])
    await store.give(Gift(account_id=ACCOUNT, now=now, possessions=more))
    await store.switch_key(KeySwitch(access_key_id="alice-key", active=False, now=now))
    hooks = [
        EndpointChange(
            key=store.keys.next(), account_id=ACCOUNT, sender=sender, kind=kind, url=f"https://shop.example/{kind}",
            batch=50, sealed_secret=RING.seal(b"c" * 32, signature.purpose(ACCOUNT)),
        )
        for sender, kind in (("", "status"), ("27549", "inbound"))
    ]  # fmt: skip
    await store.set_endpoints(EndpointOrder(changes=hooks))
    request = SenderRequest(
        request_no="r-1", space_id="s-1", request_type="viberOpen", result=AuditResult.OPEN, reason="",
        record={"Logo": ["x"]}, creator="own-key", modifier="own-key", created_at=now, changed_at=now,
    )  # fmt: skip
    await store.file_request(Filing(account_id=ACCOUNT, request=request, nonce=b"n"))
    tamper("INSERT INTO blocks VALUES (?, ?, ?, ?)", ACCOUNT, "4100", "639170000001", now)
    return store


async def _templates(store: Store, now: int) -> None:
    text = TemplateText(
        category="MARKETING", components=[{"Type": "BODY", "Text": "Hello $(name)"}], example={"name": "Ann"},
        message_send_ttl=60,
    )  # fmt: skip
    for number, language in enumerate(("en", "de")):
        template = Template(
            template_code="t1", language=language, name="parcel", body="Hello $(name)", standing=Standing.PENDING,
            message_type=MessageType.TEXT_BUTTON, parts=Content(caption="Go", action="https://shop.example/$(name)"),
        )  # fmt: skip
        await store.create_template(
            Creation(
                account_id=ACCOUNT, template=template, text=text, author="own-key", now=now, nonce=bytes([number]),
                verdict=Verdict(standing=Standing.PENDING, review_at=now + 1000 + number),
            )
        )  # fmt: skip
    await store.judge_template(
        Judgement(
            which=Naming(account_id=ACCOUNT, code="t1", language="de"), decision=Decision.APPROVE, reviewer="op",
            reason="Good.", now=now, partner_ids={"": "p-2", "4100": "p-3"},
        )
    )  # fmt: skip


def _hmac(name: str, user_id: int | None = None) -> AccessKey:
    return AccessKey(
        access_key_id=name, account_id=ACCOUNT, kind=KeyKind.HMAC, active=True, user_id=user_id,
        sealed=RING.seal(f"secret of {name}".encode(), purpose(name)),
    )  # fmt: skip


async def copy(store: Store, account_id: int = ACCOUNT) -> AccountCopy:
    found = await store.copy_account(account_id)
    assert found is not None
    return found


async def take(
    text: bytes, store: Store, clock: HandClock, words: str | None = None, *, name: str = "shop",
    account_id: int = ACCOUNT, keys: bool = True,
) -> None:  # fmt: skip
    file = account_file.read(text)
    secrets = Secrets(keys={}, callbacks=None) if words is None else account_file.opened(file, words)
    new = account_file.copy_of(file, secrets, OTHER_RING, name=name, account_id=account_id, fresh=b"f" * 32, keys=keys)
    await store.restore_account(Restoration(copy=new, now=clock.now(), keys=store.keys.next))


def told(text: bytes) -> dict[str, object]:
    """Return what a file says, its sealed secrets aside: they are sealed anew each time."""
    document: dict[str, object] = json.loads(text)
    return document | {"secrets": None}


async def test_the_same_file_comes_out_again(there: Store, elsewhere: Store, clock: HandClock) -> None:
    first = account_file.write(await copy(there), RING, None)
    await take(first, elsewhere, clock)
    assert account_file.write(await copy(elsewhere), OTHER_RING, None) == first
    assert b"secret of" not in first
    assert [key["access_key_id"] for key in json.loads(first)["keys"]] == ["rsa-key"]


async def test_with_secrets(there: Store, elsewhere: Store, clock: HandClock) -> None:
    """The same, and every secret is what it was, under the other installation's ring."""
    first = account_file.write(await copy(there), RING, WORDS)
    assert b"secret of" not in first
    await take(first, elsewhere, clock, WORDS)
    again = account_file.write(await copy(elsewhere), OTHER_RING, WORDS)
    assert told(again) == told(first)
    secrets = account_file.opened(account_file.read(again), WORDS)
    assert secrets == account_file.opened(account_file.read(first), WORDS)
    assert secrets == Secrets(
        keys={"own-key": "secret of own-key", "alice-key": "secret of alice-key"}, callbacks=b"c" * 32
    )


async def test_it_holds_everything(there: Store, elsewhere: Store, clock: HandClock) -> None:
    """What is in the file is what the account has, seen by other verbs."""
    await take(account_file.write(await copy(there), RING, WORDS), elsewhere, clock, WORDS)
    views = [await store.load_view(ACCOUNT, 0) for store in (there, elsewhere)]
    old, new = views
    assert old is not None
    assert new is not None
    assert {user.name: [p.name for p in user.policies] for user in new.users.values()} == {
        "alice": ["AliyunCamsFullAccess", "no-deleting"], "bob": [],
    }  # fmt: skip
    assert msgspec.structs.replace(new, users=old.users) == old
    keys = {row.access_key_id: (row.user_name, row.active) for row in await elsewhere.list_keys(ACCOUNT)}
    assert keys == {"own-key": (None, True), "alice-key": ("alice", False), "rsa-key": ("bob", True)}
    assert await elsewhere.sender_pauses(ACCOUNT) == 1
    assert [row.url for row in await elsewhere.list_endpoints(ACCOUNT)] == [
        "https://shop.example/status", "https://shop.example/inbound",
    ]  # fmt: skip
    assert (await elsewhere.list_requests(ACCOUNT, 10))[0].record == {"Logo": ["x"]}
    assert await elsewhere.accounts_changed_since(clock.now()) == [ACCOUNT]
    assert len(await elsewhere.keys_changed_since(clock.now())) == 3


async def test_under_another_number_policies_are_about_the_new_account(
    there: Store, elsewhere: Store, clock: HandClock
) -> None:
    await take(account_file.write(await copy(there), RING, None), elsewhere, clock, name="copy", account_id=4712)
    [policy] = (await copy(elsewhere, 4712)).policies
    assert policy.text == POLICY.replace("4711", "4712")


@pytest.mark.parametrize(
    ("name", "account_id", "sentence"),
    [
        ("shop", 4712, "An account named 'shop' exists already."),
        ("other", 4712, "An access key 'alice-key' exists already."),
    ],
)
async def test_all_or_nothing(there: Store, clock: HandClock, name: str, account_id: int, sentence: str) -> None:
    """Into the same installation: the name, or the first of the keys, is taken."""
    text = account_file.write(await copy(there), RING, WORDS)
    before = await there.account_names()
    with pytest.raises(NameTaken, match=sentence):
        await take(text, there, clock, WORDS, name=name, account_id=account_id)
    assert await there.account_names() == before
    assert await there.copy_account(account_id) is None
    await take(text, there, clock, name="other", account_id=4712, keys=False)
    assert (await copy(there, 4712)).keys == []


async def test_new_callback_secret_without_secrets(there: Store, elsewhere: Store, clock: HandClock) -> None:
    await take(account_file.write(await copy(there), RING, None), elsewhere, clock)
    sealed = await elsewhere.callback_secret(ACCOUNT)
    assert sealed is not None
    assert OTHER_RING.open(sealed, signature.purpose(ACCOUNT)) == b"f" * 32


async def test_nobody(store: Store) -> None:
    assert await store.copy_account(ACCOUNT) is None
