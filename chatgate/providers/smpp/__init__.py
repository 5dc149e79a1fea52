"""SMS over SMPP 3.4 (smpp.org, issue 1.2): one transceiver session with an SMS centre, kept bound.

::

    send      provider ▶ submissions (a message as submit_sm, one a part) ▶ session ▶ statuses (the reply as an outcome)
    receipt   session ▶ deliveries (stored, then acknowledged) ▶ receipts (deliver_sm as a Receipt)
    link      keeps a session bound: connects, binds, looks after it, starts again

Rules:

1. ``deliver_sm`` is answered OK after the receipt is stored, never before. This is why the session is our own: the
   client of the smpp34 library acknowledges by itself, on arrival. Its codec is used, its client is not.
2. A long text is one submit_sm a part, one after the other. Only the last asks for a receipt: one receipt a message,
   and the token of the message is the last part's id.
3. A message has one submit_sm open at a time, and ``max_in_flight`` messages are sent at a time: that is the window.
"""

from __future__ import annotations

from chatgate.outbound import Outbound
from chatgate.providers.base import ProviderSettings
from chatgate.providers.smpp import options
from chatgate.providers.smpp.provider import Smpp

CHANNELS = frozenset({"sms"})


def build(name: str, settings: ProviderSettings, outbound: Outbound) -> Smpp:
    """Return the provider; raises SettingError."""
    return Smpp(name, settings, options.read(name, settings), outbound)
