"""The settings of an SMPP provider: ``url`` and the options that only this kind knows.

::

    [providers.sms]
    kind = "smpp"
    url = "smpps://smsc.example:3550"          # smpp:// is without TLS; the port defaults to 2775, with TLS to 3550
    receipts_secret = { env = "..." }          # unused: receipts come over the session
    system_id = "acme"
    password = { env = "CHATGATE_SMSC_SECRET" }
    receipt_id = "hex_to_decimal"
"""

from __future__ import annotations

import re
import ssl
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from chatgate.errors import SettingError
from chatgate.providers.base import ProviderSettings

PORTS = {"smpp": 2775, "smpps": 3550}
"""The registered port, and the one that is usual with TLS."""

_URL = re.compile(r"smpps?://[^/?#@\s]+/?")

Ton = Annotated[int, Meta(ge=0, le=6)]
Npi = Annotated[int, Meta(ge=0, le=18)]
Dialect = Literal["as_is", "hex_to_decimal", "decimal_to_hex"]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the operator's contract with the SMS centre says. Lengths as in SMPP 3.4, 5.2, but for the password."""

    system_id: Annotated[str, Meta(min_length=1, max_length=15, pattern="^[!-~]*$")]
    password: Annotated[str, Meta(max_length=64, pattern="^[ -~]*$")] = ""
    """SMPP has room for 8 characters; some centres give longer ones."""
    system_type: Annotated[str, Meta(max_length=12, pattern="^[ -~]*$")] = ""
    source_ton: Ton | None = None
    """Type of number of every sender; not given: 5 for a name, 1 for a number."""
    source_npi: Npi | None = None
    """Numbering plan of every sender; not given: 0 for a name, 1 for a number."""
    destination_ton: Ton = 1
    destination_npi: Npi = 1
    receipt_id: Dialect = "as_is"
    """How the id in a receipt becomes the id of the reply: centres exist that write one in hexadecimal."""
    data_coding: Literal[0, 1] = 0
    """What the centre wants to read at GSM text: 0 is its default alphabet."""
    enquire_link: Annotated[int, Meta(ge=1, le=600)] = 30
    """Seconds between two looks whether the centre is still there."""
    ca_file: str = ""
    """PEM file with the authorities that may vouch for the centre; empty: those of the system."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where the centre is and how to speak to it."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    reply_timeout: float
    """Seconds."""
    options: Options


def read(name: str, settings: ProviderSettings) -> Target:
    """Return what a ``[providers.NAME]`` section says; raises SettingError."""
    try:
        options = msgspec.convert(dict(settings.options), Options)
    except msgspec.ValidationError as error:
        raise SettingError(f"providers.{name}: {error}.") from None
    try:
        url = urlsplit(settings.url)
        port = url.port or PORTS.get(url.scheme)
    except ValueError:
        port = None
    if port is None or not _URL.fullmatch(settings.url) or not url.hostname:
        raise SettingError(f"providers.{name}.url must be smpp://HOST:PORT, or smpps://HOST:PORT with TLS.")
    tls = _tls(name, options.ca_file) if url.scheme == "smpps" else None
    return Target(host=url.hostname, port=port, tls=tls, reply_timeout=settings.reply_timeout, options=options)


def _tls(name: str, ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:  # ssl.SSLError is one
        raise SettingError(f"providers.{name}.ca_file cannot be read: {error.strerror or error}.") from None
