"""Where a setting comes from, what it may be, and the sentence for what it may not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from chatgate import config
from chatgate.config import Configuration, Settings
from chatgate.domain.lifecycle import UnknownPolicy
from chatgate.domain.review import ReviewMode
from chatgate.domain.routing import Route
from chatgate.errors import SettingError

SECRET = "a-secret-of-enough-length"

PROVIDER = f"""
[providers.viber]
kind = "viber_partner"
url = "https://services.example/send"
receipts_secret = "{SECRET}"
"""
ROUTE = """
[[routes]]
channel = "viber"
providers = ["viber"]
"""


def load(
    text: str | None = None,
    tmp_path: Path | None = None,
    *,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Configuration:
    file = None
    if text is not None and tmp_path is not None:
        file = tmp_path / "chatgate.toml"
        file.write_text(text)
    return config.load(flags or {}, environ or {}, file)


# One value of every setting as text, and what it is read as.
VALUES: dict[str, tuple[str, object]] = {
    "data": ("/srv/chatgate", "/srv/chatgate"),
    "database": ("postgresql://u@h/d", "postgresql://u@h/d"),
    "key_ring": ("/etc/ring", "/etc/ring"),
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("443", 443),
    "role": ("api", "api"),
    "tls_cert": ("cert.pem", "cert.pem"),
    "tls_key": ("key.pem", "key.pem"),
    "trusted_proxies": ("10.0.0.0/8", "10.0.0.0/8"),
    "calls_per_second": ("1000", 1000),
    "validation_status": ("400", 400),
    "default_ttl": ("3600", 3600),
    "unknown_transaction": ("hold", UnknownPolicy.HOLD),
    "unknown_promotion": ("send_again", UnknownPolicy.SEND_AGAIN),
    "unknown_wait": ("0", 0),
    "report_sms": ("false", False),
    "callback_batch": ("100", 100),
    "template_review": ("delayed", ReviewMode.DELAYED),
    "template_review_delay": ("5", 5),
    "drain_seconds": ("5", 5),
    "log_level": ("debug", "debug"),
    "log_format": ("json", "json"),
}


def _with_companion(name: str, text: str) -> dict[str, str]:
    """Return a setting with the one that it cannot be without."""
    return {"tls_cert": "c", "tls_key": "k", name: text} if name.startswith("tls_") else {name: text}


@pytest.mark.parametrize("name", [field.name for field in msgspec.structs.fields(Settings)])
def test_every_setting_is_read_from_text(name: str) -> None:
    text, value = VALUES[name]
    given = _with_companion(name, text)
    by_flag = load(flags=given)
    by_environment = load(environ={f"CHATGATE_{key.upper()}": each for key, each in given.items()})
    for configuration, source in ((by_flag, "flag"), (by_environment, "environment")):
        assert getattr(configuration.settings, name) == value
        assert type(getattr(configuration.settings, name)) is type(value)
        assert configuration.sources[name] == source


def test_no_setting_is_untested() -> None:
    assert list(VALUES) == [row.name for row in config.table()]


def test_flags_go_before_environment_before_file_before_defaults(tmp_path: Path) -> None:
    text, environ, flags = "port = 1\nhost = '1.1.1.1'\ndrain_seconds = 1", {"CHATGATE_PORT": "2"}, {"port": "3"}
    environ["CHATGATE_HOST"] = "2.2.2.2"
    configured = load(text, tmp_path, flags=flags, environ=environ)
    settings = configured.settings
    assert (settings.port, settings.host, settings.drain_seconds, settings.default_ttl) == (3, "2.2.2.2", 1, 120)
    names = ("port", "host", "drain_seconds", "default_ttl")
    assert [configured.sources[name] for name in names] == ["flag", "environment", "file", "default"]


def test_defaults_are_the_promised_ones() -> None:
    configured = load()
    assert configured.settings == Settings()
    assert set(configured.sources.values()) == {"default"}
    assert (configured.providers, configured.routes) == ({}, ())
    assert (configured.settings.calls_per_second, configured.settings.default_ttl) == (250, 120)
    assert configured.settings.unknown_transaction is UnknownPolicy.SEND_AGAIN
    assert configured.settings.unknown_promotion is UnknownPolicy.HOLD
    assert configured.settings.template_review is ReviewMode.MANUAL
    assert (configured.settings.report_sms, configured.settings.callback_batch) == (True, 50)


@pytest.mark.parametrize("name", [field.name for field in msgspec.structs.fields(Settings)])
def test_every_setting_can_stand_in_the_file(name: str, tmp_path: Path) -> None:
    given = _with_companion(name, VALUES[name][0])
    text = "\n".join(
        f"{key} = {each}" if key == name and type(VALUES[key][1]) in (int, bool) else f"{key} = '{each}'"
        for key, each in given.items()
    )
    assert getattr(load(text, tmp_path).settings, name) == VALUES[name][1]


RANGES = {
    "port": (0, 65535),
    "calls_per_second": (1, 100_000),
    "default_ttl": (30, 1_209_600),
    "unknown_wait": (0, 3600),
    "callback_batch": (1, 100),
    "template_review_delay": (0, 2_592_000),
    "drain_seconds": (0, 600),
}


@pytest.mark.parametrize("name", RANGES)
def test_ranges(name: str) -> None:
    least, most = RANGES[name]
    for value in (least, most):
        assert getattr(load(flags={name: str(value)}).settings, name) == value
    for value in (least - 1, most + 1):
        with pytest.raises(SettingError, match=f"^setting {name}: Expected `int` [<>]= "):
            load(flags={name: str(value)})


def test_the_table_tells_the_ranges() -> None:
    kinds = {row.name: row.kind for row in config.table()}
    assert {name for name, kind in kinds.items() if kind.startswith("int")} == set(RANGES)
    for name, (least, most) in RANGES.items():
        assert kinds[name] == f"int, {least} to {most}"
    assert kinds["unknown_promotion"] == "send_again or hold"
    assert all(row.help.endswith(".") for row in config.table())


# Text of the file ▶ the sentence.
REFUSED_IN_THE_FILE: dict[str, tuple[str, str]] = {
    "a fraction": ("port = 80.5", "setting port: Expected `int`, got `float`."),
    "true": ("port = true", "setting port: Expected `int`, got `bool`."),
    "no policy": ("unknown_promotion = 'x'", "setting unknown_promotion: Invalid enum value 'x'."),
    "half of TLS": ("tls_key = 'k'", "tls_cert and tls_key go together; one of them is missing."),
    "unknown": ("prot = 1", "There is no setting 'prot' (the settings file); `chatgate settings` lists all."),
    "providers are a list": ("providers = []", "providers must be sections: [providers.NAME]."),
    "a provider is a word": (
        "[providers]\nviber = 'x'",
        "providers.viber must be a section: [providers.viber].",
    ),
    "a provider's name": (
        PROVIDER.replace(".viber]", ".'a/b']"),
        "providers.'a/b': a name has letters, digits, - and _; it is part of an address.",
    ),
    "no url": (PROVIDER.replace("url =", "uri ="), "providers.viber: Object missing required field `url`."),
    "no slots": (PROVIDER + "max_in_flight = 0", "providers.viber.max_in_flight: Expected `int` >= 1."),
    "too many slots": (PROVIDER + "max_in_flight = 1001", "providers.viber.max_in_flight: Expected `int` <= 1000."),
    "a rate below none": (PROVIDER + "rate = -1", "providers.viber.rate: Expected `int` >= 0."),
    "no time to reply": (PROVIDER + "reply_timeout = 0", "providers.viber.reply_timeout: Expected `float` >= 0.1."),
    "one network": (
        PROVIDER + "receipts_from = '10.0.0.0/8'",
        "providers.viber.receipts_from: Expected `array`, got `str`.",
    ),
    "no secret": (
        PROVIDER.replace(f'"{SECRET}"', '""'),
        "providers.viber.receipts_secret: Expected `str` of length >= 16.",
    ),
    "a variable that is not set": (
        PROVIDER.replace(f'"{SECRET}"', '{ env = "VIBER_SECRET" }'),
        "providers.viber.receipts_secret is to come from the environment, but VIBER_SECRET is not set.",
    ),
    "routes are a word": ("routes = 'viber'", "routes: Expected `array`, got `str`."),
    "a route without a channel": (
        PROVIDER + "[[routes]]\nproviders = ['viber']",
        "routes[0]: Object missing required field `channel`.",
    ),
    "a route without a provider": (
        PROVIDER + "[[routes]]\nchannel = 'viber'\nproviders = []",
        "A route needs at least one provider.",
    ),
    "a route to nobody": (
        PROVIDER + ROUTE.replace('["viber"]', '["vibre"]'),
        "A route names the provider 'vibre', but there is no [providers.vibre].",
    ),
    "a route with a number": (
        PROVIDER + ROUTE + "country = 63",
        "routes[0].country: Expected `str | null`, got `int`.",
    ),
    "a route with a typing error": (
        PROVIDER + ROUTE + "contry = '63'",
        "A route has no 'contry'; it may have channel, country, providers, sender, space.",
    ),
}

# Flags, environment ▶ the sentence.
REFUSED_ELSEWHERE: dict[str, tuple[dict[str, object], dict[str, str], str]] = {
    "not a number": ({"port": "eighty"}, {}, "setting port: Expected `int`, got `str`."),
    "none of the words": ({}, {"CHATGATE_ROLE": "boss"}, "setting role: Invalid enum value 'boss'."),
    "neither 200 nor 400": ({"validation_status": "5"}, {}, "setting validation_status: Invalid enum value 5."),
    "half of TLS": ({"tls_cert": "c"}, {}, "tls_cert and tls_key go together; one of them is missing."),
    "unknown flag": ({"prot": 1}, {}, "There is no setting 'prot' (--set); `chatgate settings` lists all."),
    "unknown in the environment": (
        {},
        {"CHATGATE_PROT": "1"},
        "There is no setting 'prot' (the environment); `chatgate settings` lists all.",
    ),
}


@pytest.mark.parametrize("case", REFUSED_IN_THE_FILE)
def test_what_is_wrong_in_the_file_is_said_in_one_sentence(case: str, tmp_path: Path) -> None:
    text, sentence = REFUSED_IN_THE_FILE[case]
    with pytest.raises(SettingError) as refusal:
        load(text, tmp_path)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("case", REFUSED_ELSEWHERE)
def test_what_is_wrong_elsewhere_is_said_in_one_sentence(case: str) -> None:
    flags, environ, sentence = REFUSED_ELSEWHERE[case]
    with pytest.raises(SettingError) as refusal:
        load(flags=flags, environ=environ)
    assert str(refusal.value) == sentence


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    text = PROVIDER.replace(f'"{SECRET}"', '{ env = "VIBER_SECRET" }')
    with pytest.raises(SettingError, match="but VIBER_SECRET is not set"):
        load(text, tmp_path, environ={"VIBER_SECRET": ""})


@pytest.mark.parametrize(
    "secret", ["too-short", "with/slash/in/the/path", "with space in the path", "пароль-пароль-пароль"]
)
def test_a_secret_that_no_address_can_hold_is_refused_and_not_repeated(secret: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError) as refusal:
        load(PROVIDER.replace(SECRET, secret), tmp_path)
    assert secret not in str(refusal.value)


@pytest.mark.parametrize("url", ["", "services.example/send", "https://", "https:///send", "https://services example/"])
def test_a_provider_needs_an_absolute_url(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"^providers\.viber\.url: "):
        load(PROVIDER.replace("https://services.example/send", url), tmp_path)


@pytest.mark.parametrize("text", ["port", "[providers", "port = 1\nport = 2", "\x00"])
def test_a_file_that_is_no_toml(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"is not valid TOML: .+\.$"):
        load(text, tmp_path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.toml", tmp_path):
        with pytest.raises(SettingError, match=r"^The settings file .+ cannot be read: .+\.$"):
            config.load({}, {}, path)
    (tmp_path / "latin.toml").write_bytes(b"data = '\xe9'")
    with pytest.raises(SettingError, match="is not valid TOML"):
        config.load({}, {}, tmp_path / "latin.toml")


def test_the_file_of_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert config.settings_file(None) is None
    (tmp_path / "chatgate.toml").touch()
    assert config.settings_file(None) == Path("chatgate.toml")
    assert config.settings_file(Path("other.toml")) == Path("other.toml")


def test_no_file_counts_unless_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chatgate.toml").write_text("port = 1")
    assert load().settings.port == 8080


def test_providers_and_routes(tmp_path: Path) -> None:
    more = 'max_in_flight = 8\nrate = 200\nreply_timeout = 5\nreceipts_from = ["10.0.0.0/8"]\ncolour = "red"\n'
    routes = ROUTE + "sender = '27549'\ncountry = '63'\nspace = 's'\n" + ROUTE
    configured = load(PROVIDER + more + routes, tmp_path)
    provider = configured.providers["viber"]
    assert (provider.kind, provider.url, provider.receipts_secret) == (
        "viber_partner",
        "https://services.example/send",
        SECRET,
    )
    assert (provider.max_in_flight, provider.rate, provider.reply_timeout) == (8, 200, 5.0)
    assert (provider.receipts_from, provider.options) == (("10.0.0.0/8",), {"colour": "red"})
    assert configured.routes == (
        Route(channel="viber", providers=("viber",), sender="27549", country="63", space="s"),
        Route(channel="viber", providers=("viber",)),
    )


@pytest.mark.parametrize("variable", ["VIBER_SECRET", "CHATGATE_VIBER_SECRET", "CHATGATE_VIBER"])
def test_secrets_may_come_from_the_environment(variable: str, tmp_path: Path) -> None:
    """A variable that is pointed to is no unknown setting, whatever its name."""
    text = PROVIDER.replace(f'"{SECRET}"', f'{{ env = "{variable}" }}') + 'rate = { env = "RATE" }'
    provider = load(text, tmp_path, environ={variable: SECRET, "RATE": "7"}).providers["viber"]
    assert (provider.receipts_secret, provider.rate) == (SECRET, 7)


def test_a_secret_of_another_command_is_no_unknown_setting() -> None:
    """``account create`` runs in the same shell as ``serve``."""
    assert load(environ={"CHATGATE_VIBER_RECEIPTS_SECRET": SECRET, "PATH": "/bin"}).settings == Settings()
