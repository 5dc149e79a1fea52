"""What every sandbox account begins with. The same for all, but for the service id, which is the account's own: so
phones, blocks and replies never leak between accounts.
"""

from __future__ import annotations

from hashlib import blake2b

from chatgate.domain.account import AccessKey, FallbackPolicy, Sender, Space, Standing, Template
from chatgate.store.accounts import Possessions

MAIN_ACCOUNT = "sandbox"
"""Its AccessKeyId and its secret too."""
ACCOUNT_PREFIX = "sandbox-"
"""Every AccessKeyId that begins with it is an account of its own, with itself as secret."""

SPACE = "282514865123580001"
SENDER = "27549"
TEMPLATE = "744c4b5c79c9432497a075bdfca30001"
TEMPLATE_NAME = "order_on_its_way"
TEMPLATE_BODY = "Hello $(param1), your order $(param2) is on its way."
PARTNER_TEMPLATE = "744c4b5c-79c9-4324-97a0-75bdfca30001"
PARTNER_TEMPLATE_BODY = "Hello {{param1}}, your order {{param2}} is on its way."
LANGUAGE = "en"
POLICY = "S_000001"


def is_account(access_key_id: str) -> bool:
    """Whether the sandbox knows this AccessKeyId without having seen it before."""
    return access_key_id == MAIN_ACCOUNT or (
        access_key_id.startswith(ACCOUNT_PREFIX)
        and len(ACCOUNT_PREFIX) < len(access_key_id) <= 128
        and access_key_id.isascii()
        and access_key_id.isprintable()
    )


def service_id(account: str) -> int:
    """Return the partner service id of an account: always the same, different for each (48 bits of a digest)."""
    return int.from_bytes(blake2b(account.encode(), digest_size=6, person=b"service").digest(), "big")


def sms_sender(account: str) -> str:
    """Return the SMS sender id of an account: like the service id its own, so that phones of accounts stay apart."""
    if account == MAIN_ACCOUNT:
        return "chatgate"
    return "cg" + blake2b(account.encode(), digest_size=5, person=b"sms").hexdigest()[:9]


def possessions(account: str, key: AccessKey) -> Possessions:
    template = Template(
        template_code=TEMPLATE, language=LANGUAGE, name=TEMPLATE_NAME, body=TEMPLATE_BODY, standing=Standing.APPROVED,
        partner_id=PARTNER_TEMPLATE,
    )  # fmt: skip
    return Possessions(
        keys=[key],
        spaces=[Space(space_id=SPACE)],
        senders=[
            Sender(sender=SENDER, channel="viber", service_id=str(service_id(account)), standing=Standing.APPROVED)
        ],
        templates=[template],
        policies=[FallbackPolicy(policy_id=POLICY, name="SMS to everybody", sms_sender=sms_sender(account))],
    )
