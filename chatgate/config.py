"""Every setting, once: name, type, range, default and what it is for.

``Settings`` is the table. From it come the environment names (``CHATGATE_`` and the name in capitals), the keys of
``chatgate.toml``, ``--set NAME=VALUE``, the checks, ``chatgate settings`` and ``docs/settings.md``. Order of
precedence: flags, environment, file, defaults. Only ``runtime`` and ``cli`` may read this module.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import Meta

from chatgate.domain.lifecycle import UnknownPolicy
from chatgate.domain.review import ReviewMode
from chatgate.domain.routing import Route
from chatgate.errors import SettingError
from chatgate.providers.base import ProviderSettings

T = TypeVar("T")

_PROVIDER_NAME = re.compile(r"[A-Za-z0-9_-]+")

PREFIX = "CHATGATE_"
DEFAULT_FILE = "chatgate.toml"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be set. Sections ``[providers.NAME]`` and ``[[routes]]`` of the file are in ``Configuration``."""

    data: Annotated[str, Meta(description="Folder of the embedded database and the key ring.")] = "chatgate-data"
    database: Annotated[
        str, Meta(description="Database address, sqlite:///… or postgresql://…; empty: a file in the data folder.")
    ] = ""
    key_ring: Annotated[
        str,
        Meta(description="File with the keys that seal secrets; empty: key-ring in the data folder. Not for backups."),
    ] = ""
    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes a free one.")] = 8080
    role: Annotated[
        Literal["all", "api", "worker"], Meta(description="What this process does: take calls, do the work, or all.")
    ] = "all"
    tls_cert: Annotated[str, Meta(description="Certificate chain in PEM; with tls_key the server speaks https.")] = ""
    tls_key: Annotated[str, Meta(description="Private key in PEM.")] = ""
    trusted_proxies: Annotated[
        str, Meta(description="Networks whose X-Forwarded-For and X-Forwarded-Proto count, separated by commas.")
    ] = ""
    calls_per_second: Annotated[
        int,
        Meta(ge=1, le=100_000, description="Calls of one account in any sliding second, unless it has its own limit."),
    ] = 250
    validation_status: Annotated[
        Literal[200, 400], Meta(description="HTTP status of validation codes: 200 as documented, or 400.")
    ] = 200
    default_ttl: Annotated[
        int, Meta(ge=30, le=1_209_600, description="Seconds to live of a message whose call has no Ttl.")
    ] = 120
    unknown_transaction: Annotated[
        UnknownPolicy, Meta(description="Transaction message whose send has an unknown outcome: send_again or hold.")
    ] = UnknownPolicy.SEND_AGAIN
    unknown_promotion: Annotated[
        UnknownPolicy, Meta(description="Promotion whose send has an unknown outcome: send_again or hold.")
    ] = UnknownPolicy.HOLD
    unknown_wait: Annotated[
        int,
        Meta(ge=0, le=3600, description="Seconds that a receipt has to resolve an unknown outcome before send_again."),
    ] = 10
    report_sms: Annotated[
        bool,
        Meta(description="Whether customers are told about fallback SMS, under the Viber message's MessageId."),
    ] = True
    callback_batch: Annotated[
        int,
        Meta(ge=1, le=100, description="Reports in one call of an endpoint, at most; for endpoints set from now on."),
    ] = 50
    template_review: Annotated[
        ReviewMode,
        Meta(
            description="What review says of a new template: auto (yes), reject (no), manual or delayed (yes, later)."
        ),
    ] = ReviewMode.MANUAL
    template_review_delay: Annotated[
        int, Meta(ge=0, le=2_592_000, description="Seconds after which a delayed review approves a template.")
    ] = 60
    drain_seconds: Annotated[
        int, Meta(ge=0, le=600, description="Seconds that open work has to end after SIGTERM.")
    ] = 30
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least level that is logged.")
    ] = "info"
    log_format: Annotated[Literal["text", "json"], Meta(description="How logs are written to standard error.")] = "text"


Source = Literal["flag", "environment", "file", "default"]


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """All that was configured, and where each setting came from."""

    settings: Settings
    sources: Mapping[str, Source]
    providers: Mapping[str, ProviderSettings]
    routes: tuple[Route, ...]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as documentation shows it."""

    name: str
    kind: str
    default: str
    help: str


def table() -> list[Row]:
    """Return the settings in order, for ``chatgate settings`` and the docs."""
    rows = []
    hints = get_type_hints(Settings, include_extras=True)
    for field in msgspec.structs.fields(Settings):
        bare, meta = get_args(hints[field.name])[:2]
        values = (
            [str(value) for value in get_args(bare)] or [str(v) for v in bare]
            if isinstance(bare, type) and issubclass(bare, StrEnum)
            else get_args(bare)
        )
        kind = " or ".join(map(str, values)) if values else bare.__name__
        if meta.ge is not None:
            kind += f", {meta.ge} to {meta.le}"
        rows.append(Row(name=field.name, kind=kind, default=str(field.default), help=meta.description or ""))
    return rows


def settings_file(named: Path | None) -> Path | None:
    """Return the settings file that counts: the one named, else ``chatgate.toml`` of the working folder, if any."""
    return named or (Path(DEFAULT_FILE) if Path(DEFAULT_FILE).exists() else None)


def load(
    flags: Mapping[str, object], environ: Mapping[str, str], file: Path | None, *, will_send: bool = True
) -> Configuration:
    """Put a configuration together; raises SettingError with one sentence that names the setting.

    ``flags``: only those given. ``file`` None: no file counts. Without ``will_send`` a secret of a provider may be
    missing: who only looks at messages need not have it.
    """
    written = {} if file is None else _read(file)
    sections = {"providers": written.pop("providers", {}), "routes": written.pop("routes", [])}
    names = [field.name for field in msgspec.structs.fields(Settings)]
    own = {name: value for name, value in environ.items() if name not in _meant_for(sections["providers"])}
    _refuse_strangers(written, flags, own, names)
    values: dict[str, object] = {}
    sources: dict[str, Source] = {}
    for name in names:
        variable = PREFIX + name.upper()
        if name in flags:
            values[name], sources[name] = flags[name], "flag"
        elif variable in environ:
            values[name], sources[name] = environ[variable], "environment"
        elif name in written:
            values[name], sources[name] = written[name], "file"
        else:
            sources[name] = "default"
    settings = _convert(values, Settings, "setting", strict=False)
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise SettingError("tls_cert and tls_key go together; one of them is missing.")
    return Configuration(
        settings=settings, sources=sources, providers=_providers(sections["providers"], environ, will_send),
        routes=_routes(sections["routes"], sections["providers"]),
    )  # fmt: skip


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"The settings file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"The settings file {path} is not valid TOML: {error}.") from None


def _refuse_strangers(
    written: Mapping[str, object], flags: Mapping[str, object], environ: Mapping[str, str], names: list[str]
) -> None:
    """A setting that does not exist is a typing error that would silently not take effect."""
    from_environ = {
        n.removeprefix(PREFIX).lower() for n in environ if n.startswith(PREFIX) and not n.endswith("_SECRET")
    }
    for where, given in (("the settings file", set(written)), ("--set", set(flags)), ("the environment", from_environ)):
        for name in sorted(given - set(names)):
            raise SettingError(f"There is no setting {name!r} ({where}); `chatgate settings` lists all.")


def _meant_for(providers: Any) -> set[object]:
    """Return the environment names that provider sections point to: these are no settings."""
    sections = providers.values() if isinstance(providers, dict) else ()
    values = [value for section in sections if isinstance(section, dict) for value in section.values()]
    return {value["env"] for value in values if _points_to_environment(value)}


def _providers(sections: Any, environ: Mapping[str, str], will_send: bool) -> dict[str, ProviderSettings]:
    if not isinstance(sections, dict):
        raise SettingError("providers must be sections: [providers.NAME].")
    for name in sections:
        if not _PROVIDER_NAME.fullmatch(name):
            raise SettingError(f"providers.{name!r}: a name has letters, digits, - and _; it is part of an address.")
    return {name: _provider(name, section, environ, will_send) for name, section in sections.items()}


def _provider(name: str, section: Any, environ: Mapping[str, str], will_send: bool) -> ProviderSettings:
    if not isinstance(section, dict):
        raise SettingError(f"providers.{name} must be a section: [providers.{name}].")
    known = {field.name for field in msgspec.structs.fields(ProviderSettings)} - {"options"}
    values = {
        key: _from_environment(f"providers.{name}.{key}", value, environ, will_send) for key, value in section.items()
    }
    own = {key: value for key, value in values.items() if key in known}
    options = {key: value for key, value in values.items() if key not in known}
    return _convert(own | {"options": options}, ProviderSettings, f"providers.{name}", strict=False)


def _points_to_environment(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"env"}


def _from_environment(name: str, value: Any, environ: Mapping[str, str], needed: bool) -> object:
    """Return a value, or what ``{ env = "NAME" }`` points to."""
    if not _points_to_environment(value):
        return value
    variable = str(value["env"])
    if not environ.get(variable):
        if not needed:
            return f"not-set.{variable}".ljust(16, ".")
        raise SettingError(f"{name} is to come from the environment, but {variable} is not set.")
    return environ[variable]


def _routes(sections: Any, providers: Any) -> tuple[Route, ...]:
    routes = _convert(sections, tuple[Route, ...], "routes", strict=True)
    known = {field.name for field in msgspec.structs.fields(Route)}
    for name in sorted({name for section in sections for name in section} - known):
        raise SettingError(f"A route has no {name!r}; it may have {', '.join(sorted(known))}.")
    for route in routes:
        if not route.providers:
            raise SettingError("A route needs at least one provider.")
        if len(route.providers) > 1:
            raise SettingError("A route takes one provider: going over to a second one is not built yet.")
        for provider in route.providers:
            if provider not in providers:
                raise SettingError(f"A route names the provider {provider!r}, but there is no [providers.{provider}].")
    return routes


def _convert(value: Any, kind: type[T], what: str, *, strict: bool) -> T:
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        sentence, _, place = str(error).partition(" - at `$")
        place = place.removesuffix("`")
        name = f"{what} {place.removeprefix('.')}" if what == "setting" else f"{what}{place}"
        raise SettingError(f"{name}: {sentence}.") from None
