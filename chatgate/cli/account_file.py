"""An account as a file: JSON of a fixed form, which ``chatgate account export`` writes and ``import`` reads.

Rules:

1. The form has a version. A file of another one, a torn one, and one that holds what is not known here are refused:
   what is left out silently could be what denies.
2. Without secrets the file holds no access key with a secret, and none of callbacks. With them, they are one sealed
   value; it opens only with its passphrase, and only in a file whose rest nobody has changed.
3. Everything is checked as the commands that make it check it, before anything is stored.

The form is described in ``docs/accounts.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from chatgate.callbacks import guard, signature
from chatgate.cli import passphrase
from chatgate.cli.passphrase import Sealed
from chatgate.domain.account import FallbackPolicy, KeyKind, Sender, Space
from chatgate.domain.ram import policy, system_policies
from chatgate.domain.ram.policy import MalformedPolicy
from chatgate.domain.review import TemplateRecord
from chatgate.domain.sender_request import SenderRequest
from chatgate.errors import SettingError
from chatgate.gateway.authenticate import purpose
from chatgate.protocol import signature as protocol_signature
from chatgate.sealing import KeyRing
from chatgate.store.account_copy import AccountCopy, Block, CopiedKey, CopiedPolicy, CopiedUser, Webhook
from chatgate.store.callbacks import INBOUND, STATUS
from chatgate.store.reviews import Kind, Review

FORMAT = "chatgate-account"
VERSION = 1

LONGEST_NAME = 64
"""Characters of an account's name."""
MOST_CALLS = 100_000
"""Calls a second; as of the setting."""
USER_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")  # RAM limits: UserName
POLICY_NAME = re.compile(r"[A-Za-z0-9-]{1,128}")  # RAM limits: PolicyName


class FileKey(msgspec.Struct, frozen=True, kw_only=True):
    access_key_id: str
    kind: KeyKind
    active: bool
    user: str | None
    public_key: str | None
    """PEM, of an RSA key; None: its secret is among the secrets."""


class FileReview(msgspec.Struct, frozen=True, kw_only=True):
    kind: Kind
    name: str
    language: str
    standing: str
    at: int
    reviewer: str
    reason: str


class AccountFile(msgspec.Struct, frozen=True, kw_only=True):
    """The document, in the order in which it is written."""

    format: str
    version: int
    id: str
    """Of the account; policies may name it."""
    name: str
    subscribed: bool
    calls_per_second: int | None
    spaces: list[Space]
    senders: list[Sender]
    templates: list[TemplateRecord]
    fallback_policies: list[FallbackPolicy]
    users: list[CopiedUser]
    policies: list[CopiedPolicy]
    keys: list[FileKey]
    webhooks: list[Webhook]
    requests: list[SenderRequest]
    reviews: list[FileReview]
    blocks: list[Block]
    secrets: Sealed | None


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """What is sealed with the passphrase."""

    keys: dict[str, str]
    """Secret by AccessKeyId."""
    callbacks: bytes | None


def write(copy: AccountCopy, ring: KeyRing, words: str | None) -> bytes:
    """Return the file of an account; ``words``: the passphrase of its secrets, None: without them."""
    keys = [key for key in copy.keys if words is not None or key.kind is KeyKind.RSA]
    file = AccountFile(
        format=FORMAT, version=VERSION, id=str(copy.account_id), secrets=None,
        keys=[
            FileKey(
                access_key_id=key.access_key_id, kind=key.kind, active=key.active, user=key.user,
                public_key=key.sealed.decode() if key.kind is KeyKind.RSA else None,
            )
            for key in keys
        ],
        reviews=[
            FileReview(
                kind=r.kind, name=r.name, language=r.language, standing=r.standing, at=r.at, reviewer=r.reviewer,
                reason=r.reason,
            )
            for r in copy.reviews
        ],
        **{name: getattr(copy, name) for name in _AS_THEY_ARE},
    )  # fmt: skip
    if words is not None:
        secrets = msgspec.json.encode(_secrets(copy, ring))
        file = msgspec.structs.replace(file, secrets=passphrase.seal(words, secrets, msgspec.json.encode(file)))
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


_LARGEST = 1 << 63
"""What a database keeps as a number is smaller."""

_AS_THEY_ARE = (
    "name", "subscribed", "calls_per_second", "spaces", "senders", "templates", "fallback_policies", "users",
    "policies", "webhooks", "requests", "blocks",
)  # fmt: skip


def _secrets(copy: AccountCopy, ring: KeyRing) -> Secrets:
    keys = {
        key.access_key_id: ring.open(key.sealed, purpose(key.access_key_id)).decode()
        for key in copy.keys
        if key.kind is KeyKind.HMAC
    }
    callbacks = copy.callback_secret
    if callbacks is not None:
        callbacks = ring.open(callbacks, signature.purpose(copy.account_id))
    return Secrets(keys=keys, callbacks=callbacks)


# --- reading ---------------------------------------------------------------------------------------------------------


def read(text: bytes) -> AccountFile:
    """Return what a file says, checked. Raises SettingError with what is wrong first."""
    head = _decoded(text, dict[str, Any])
    if head.get("format") != FORMAT:
        raise SettingError("The file is not an account's: its format is another.")
    if head.get("version") != VERSION:
        raise SettingError(f"The file has version {head.get('version')!r}; this chatgate reads version {VERSION}.")
    file: AccountFile = _decoded(text, AccountFile)
    if (unknown := next(_unknown(head, msgspec.to_builtins(file), ""), None)) is not None:
        raise SettingError(f"The file cannot be taken: {unknown}.")
    check_name(file.name)
    _check(file)
    return file


def check_name(name: str) -> None:
    """Refuse what is no name of an account. Raises SettingError."""
    if not (name.isprintable() and 1 <= len(name) <= LONGEST_NAME):
        raise SettingError(f"The name of an account has 1 to {LONGEST_NAME} printable characters.")


def _decoded(text: bytes, wanted: Any) -> Any:
    try:
        return msgspec.json.decode(text, type=wanted)
    except msgspec.ValidationError as error:
        raise SettingError(f"The file is not an account's: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise SettingError("The file is not whole: it is no JSON.") from None


def _unknown(given: Any, known: Any, place: str) -> Iterator[str]:
    """Yield what was given and would be lost, or cannot be stored."""
    if isinstance(given, dict):
        for name, value in given.items():
            if name not in known:
                yield f"{place}{name} is not known here"
            else:
                yield from _unknown(value, known[name], f"{place}{name}.")
    elif isinstance(given, list):
        for number, (value, own) in enumerate(zip(given, known, strict=True)):
            yield from _unknown(value, own, f"{place.removesuffix('.')}[{number}].")
    elif isinstance(given, int) and not -_LARGEST <= given < _LARGEST:
        yield f"{place.removesuffix('.')} is too large a number"
    elif isinstance(given, str) and "\0" in given:
        yield f"{place.removesuffix('.')} holds a NUL character"


def _check(file: AccountFile) -> None:
    if not file.id.isascii() or not file.id.isdecimal() or not 0 < int(file.id) < 1 << 63:
        raise SettingError("The file is not an account's: its id is no number.")
    if file.calls_per_second is not None and not 1 <= file.calls_per_second <= MOST_CALLS:
        raise SettingError(f"calls_per_second of the file must be from 1 to {MOST_CALLS}.")
    for what, names in _names(file).items():
        if twice := {name for name in names if names.count(name) > 1}:
            raise SettingError(f"The file names a {what} twice: {', '.join(map(str, sorted(twice)))}.")
    for user in file.users:
        if USER_NAME.fullmatch(user.name) is None:
            raise SettingError("The name of a user has 1 to 64 letters, digits, dots, hyphens and underscores.")
        _known("policy", user.policies, {p.name for p in file.policies} | system_policies.TEXTS.keys())
    for own in file.policies:
        _check_policy(own)
    for sender in file.senders:
        if not all(digits.isascii() and digits.isdecimal() for digits in (sender.sender, sender.service_id)):
            raise SettingError("The number and the service id of a sender must be digits.")
    for key in file.keys:
        _known("user", [key.user] if key.user is not None else [], {user.name for user in file.users})
        _check_key(key, file.secrets is not None)
    for hook in file.webhooks:
        if hook.kind not in (STATUS, INBOUND) or (why := guard.check_url(hook.url)) or not 1 <= hook.batch <= 1000:
            raise SettingError(f"A webhook of the file cannot be used: {why or 'its kind or batch is none'}.")


def _names(file: AccountFile) -> Mapping[str, list[Any]]:
    return {
        "space": [space.space_id for space in file.spaces], "sender": [sender.sender for sender in file.senders],
        "template": [(r.template.template_code, r.template.language) for r in file.templates],
        "fallback policy": [own.policy_id for own in file.fallback_policies],
        "user": [user.name for user in file.users], "policy": [own.name for own in file.policies],
        "key": [key.access_key_id for key in file.keys], "request": [request.request_no for request in file.requests],
        "webhook": [(hook.sender, hook.kind) for hook in file.webhooks],
        "block": [(block.service_id, block.recipient) for block in file.blocks],
    }  # fmt: skip


def _known(what: str, named: list[str], known: set[str]) -> None:
    if strange := [name for name in named if name not in known]:
        raise SettingError(f"The file names the {what} {strange[0]!r}, which it does not have.")


def _check_policy(own: CopiedPolicy) -> None:
    if POLICY_NAME.fullmatch(own.name) is None:
        raise SettingError("The name of a policy has 1 to 128 letters, digits and hyphens.")
    try:
        policy.compiled(own.name, own.text)
    except MalformedPolicy as error:
        raise SettingError(f"The policy {own.name} of the file is wrong: {error}") from None


def _check_key(key: FileKey, with_secrets: bool) -> None:
    if not (1 <= len(key.access_key_id) <= 128 and key.access_key_id.isascii() and key.access_key_id.isprintable()):
        raise SettingError("An access key id has 1 to 128 printable characters.")
    if key.kind is KeyKind.HMAC:
        if not with_secrets or key.public_key is not None:
            raise SettingError(f"The file lacks the secret of the access key {key.access_key_id}.")
        return
    try:
        protocol_signature.rsa_key((key.public_key or "").encode())
    except ValueError:
        raise SettingError(f"The access key {key.access_key_id} has no RSA public key in the file.") from None


# --- what is to be stored --------------------------------------------------------------------------------------------


def opened(file: AccountFile, words: str) -> Secrets:
    """Return the secrets of a file that has some. Raises SettingError: another passphrase, or a changed file."""
    assert file.secrets is not None
    rest = msgspec.json.encode(msgspec.structs.replace(file, secrets=None))
    secrets: Secrets = _decoded(passphrase.open_sealed(words, file.secrets, rest), Secrets)
    with_secret = [key.access_key_id for key in file.keys if key.kind is KeyKind.HMAC]
    if lacking := [name for name in with_secret if not secrets.keys.get(name)]:
        raise SettingError(f"The file lacks the secret of the access key {lacking[0]}.")
    return secrets


def copy_of(
    file: AccountFile, secrets: Secrets, ring: KeyRing, *, name: str, account_id: int, fresh: bytes, keys: bool
) -> AccountCopy:
    """Return what is to be stored, its secrets sealed by this installation's ring.

    ``fresh``: signs callbacks where the file tells no secret; ``keys``: whether access keys are taken over.
    """
    taken = file.keys if keys else []
    callbacks = secrets.callbacks or (fresh if file.webhooks else None)
    return AccountCopy(
        account_id=account_id,
        keys=[
            CopiedKey(
                access_key_id=key.access_key_id, kind=key.kind, active=key.active, user=key.user,
                sealed=(key.public_key or "").encode() if key.kind is KeyKind.RSA
                else ring.seal(secrets.keys[key.access_key_id].encode(), purpose(key.access_key_id)),
            )
            for key in taken
        ],
        callback_secret=None if callbacks is None else ring.seal(callbacks, signature.purpose(account_id)),
        reviews=[Review(account_id=account_id, **msgspec.structs.asdict(review)) for review in file.reviews],
        **{name: getattr(file, name) for name in _AS_THEY_ARE}
        | {"name": name, "policies": [_for_account(own, file.id, str(account_id)) for own in file.policies]},
    )  # fmt: skip


def _for_account(own: CopiedPolicy, old: str, new: str) -> CopiedPolicy:
    """Return a policy that is about the account of another number: else a Deny on the old one would deny nothing."""
    text = re.sub(rf"(acs:[^:\"]*:[^:\"]*:){old}(?=:)", rf"\g<1>{new}", own.text)
    return CopiedPolicy(name=own.name, text=text)
