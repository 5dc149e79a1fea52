"""SMS through any HTTP gateway: the request is a template, the reply and the receipts are read by paths.

::

    [providers.sms]
    kind = "http_sms"
    url = "https://sms.example/send"
    receipts_secret = { env = "CHATGATE_SMS_RECEIPTS_SECRET" }
    secret = { env = "CHATGATE_SMS_KEY_SECRET" }
    headers = { authorization = "Bearer {secret}" }
    json = { to = "+{to}", from = "{from}", body = "{text}", ref = "{message_id}", ttl = "{ttl}" }
    token = "messages.0.id"
    code = "error.code"
    outcomes = { "" = "sent", "9" = "throttled", "*" = "refused" }
    receipt_token = "id"
    receipt_status = "status"
    receipt_statuses = { DELIVRD = "delivered", UNDELIV = "undelivered", EXPIRED = "expired" }

Rules:

1. A placeholder is filled in as its place demands, and no value can leave its place (``template``).
2. ``code`` is looked up in ``outcomes`` by what it says, then under ``*``; a reply without it, under the empty word.
   What is not found is refused (a code), or unknown (no code).
3. A status outside ``accepted_status`` is never ``sent``. There a listed code goes first, then what the status says.
4. Without ``token`` there are no receipts: a message is sent, and stays so until its time is over.
"""

from __future__ import annotations

from chatgate.outbound import Outbound
from chatgate.providers.base import ProviderSettings
from chatgate.providers.http_sms import options
from chatgate.providers.http_sms.provider import HttpSms

CHANNELS = frozenset({"sms"})


def build(name: str, settings: ProviderSettings, outbound: Outbound) -> HttpSms:
    """Return the provider; raises SettingError."""
    return HttpSms(name, settings, options.read(name, settings), outbound)
