"""``chatgate template``: the linter, and all of a template's life."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chatgate.clock import SystemClock
from chatgate.domain.account import AccountView
from chatgate.domain.message import MessageKind, Outcome, SendResult
from tests.cli.shell import Shell
from tests.drafts import draft

LEGAL = {
    "Name": "parcel", "Language": "en", "Category": "text_button", "Example": {"name": "Ann", "no": "7"},
    "MessageSendTtlSeconds": 60,
    "Components": [
        {"Type": "BODY", "Text": "Hello $(name), order $(no) has left."},
        {
            "Type": "BUTTONS",
            "Buttons": [{"Type": "URL", "Text": "Track", "Url": "https://shop.example/$(no)", "UrlType": "dynamic"}],
        },
    ],
}  # fmt: skip
WRONG = [{"Type": "BODY", "Text": "{{1}}"}, {"Type": "FOOTER", "Text": "Bye"}]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "parcel.json"
    path.write_text(json.dumps(LEGAL))
    return path


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(WRONG))
    return path


@pytest.fixture
def account(shell: Shell) -> None:
    shell("account", "create", "shop")
    shell("account", "create", "bank")


def create(shell: Shell, file: Path, *more: str) -> str:
    made = shell("template", "create", str(file), "--account", "shop", *more)
    assert made.status == 0, made.err
    return made.out.strip()


def view(shell: Shell) -> AccountView:
    account_id = shell.account_id("shop")
    found = shell.in_store(lambda store, _ring: store.load_view(account_id, 0))
    assert found is not None
    return found


def shown(shell: Shell, code: str) -> dict[str, Any]:
    found: dict[str, Any] = shell("template", "show", code, "--account", "shop", "--json").json
    return found


# --- the linter ------------------------------------------------------------------------------------------------------


def test_lint_finds_everything(shell: Shell, wrong: Path) -> None:
    ran = shell("template", "lint", str(wrong))
    assert ran.status == 1
    assert [line.split()[:2] for line in ran.out.splitlines()[1:]] == [
        ["Components[0].Text", "InvalidParameter.MessageInvalid"],
        ["Components[1].Type", "InvalidParameter.Components"],
    ]
    as_json = shell("template", "lint", str(wrong), "--json")
    assert as_json.status == 1
    assert [row["finding"] for row in json.loads(as_json.out)] == [
        "Variables are $(name), not {{1}}.", "A Viber template has no FOOTER.",
    ]  # fmt: skip


def test_lint_of_a_legal_one(shell: Shell, file: Path) -> None:
    ran = shell("template", "lint", str(file))
    assert (ran.status, ran.out, ran.err) == (0, "", "The template is legal.\n")
    assert shell("template", "lint", str(file), "--json").json == []


def test_lint_takes_the_category_of_the_file_first(shell: Shell, file: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.json"
    alone.write_text(json.dumps(LEGAL["Components"]))
    assert shell("template", "lint", str(alone), "--category", "text").status == 1
    assert shell("template", "lint", str(alone), "--category", "text_button").status == 0
    assert shell("template", "lint", str(file), "--category", "text").status == 0


@pytest.mark.parametrize("text", ["", "5", "{", '{"Components": [}'])
def test_lint_of_what_is_no_template(shell: Shell, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    assert shell.fails("template", "lint", str(path)).startswith(f"The file {path} is not usable.")
    assert "cannot be read" in shell.fails("template", "lint", str(tmp_path / "nowhere.json"))


# --- the life of a template ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("account")
def test_manual_review(shell: Shell, file: Path) -> None:
    """The default of an installation: nothing is approved by itself."""
    code = create(shell, file)
    [row] = shell("template", "list", "--account", "shop", "--json").json
    assert (row["code"], row["name"], row["language"], row["category"]) == (code, "parcel", "en", "text_button")
    assert (row["shows"], row["standing"]) == ("text_button", "pending")
    steps = [
        ("reject", "Too loud.", "rejected"), ("approve", "", "approved"), ("pause", "Complaints.", "paused"),
        ("prohibit", "More complaints.", "prohibited"), ("resume", "Sorry.", "approved"),
    ]  # fmt: skip
    for decision, reason, standing in steps:
        arguments = ("template", decision, code, "en", "--account", "shop", "--by", "Eva", "--reason", reason)
        assert shell(*arguments).out == f"{code} in en is {standing}.\n"
        assert view(shell).templates[code, "en"].standing == standing
    found = shown(shell, code)
    [language] = found["languages"]
    assert language["components"] == LEGAL["Components"]
    assert (language["audit_status"], language["reason"], language["example"]) == ("pass", "Sorry.", LEGAL["Example"])
    assert language["message_send_ttl"] == 60
    history = [(review["standing"], review["reason"]) for review in found["reviews"]]
    assert history == [("pending", ""), *((standing, reason) for _, reason, standing in steps)]
    assert {review["by"] for review in found["reviews"][1:]} == {"Eva"}
    people = shell("template", "show", code, "--account", "shop").out
    assert "Too loud." in people
    assert "text_button" in people


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    ("review", "standing"),
    [("auto", "approved"), ("manual", "pending"), ("delayed", "pending"), ("reject", "rejected")],
)
def test_the_setting(shell: Shell, file: Path, monkeypatch: pytest.MonkeyPatch, review: str, standing: str) -> None:
    monkeypatch.setenv("CHATGATE_TEMPLATE_REVIEW", review)
    before = SystemClock().now()
    code = create(shell, file)
    [language] = shown(shell, code)["languages"]
    assert language["standing"] == standing
    assert (language["approved_at"] is not None) == (review == "delayed")
    assert view(shell).templates[code, "en"].standing == standing
    assert SystemClock().now() - before < 60_000


@pytest.mark.usefixtures("account")
def test_languages_changes_and_deletion(shell: Shell, file: Path, tmp_path: Path) -> None:
    code = create(shell, file)
    alone = tmp_path / "alone.json"
    alone.write_text(json.dumps([{"Type": "BODY", "Text": "Hallo"}]))
    assert create(shell, alone, "--name", "parcel", "--language", "de", "--category", "text") == code
    changed = shell("template", "modify", code, "en", str(alone), "--account", "shop")
    assert changed.out == f"{code} in en has new contents.\n"
    assert {template.body for template in view(shell).templates.values()} == {"Hallo"}
    assert (
        len(shell("template", "list", "--account", "shop", "--category", "text", "--language", "de", "--json").json)
        == 1
    )
    assert shell("template", "list", "--account", "shop", "--standing", "approved", "--json").json == []
    assert (
        shell("template", "delete", code, "--account", "shop", "--language", "de").out == f"{code} is deleted in de.\n"
    )
    shell("template", "delete", code, "--account", "shop")
    assert view(shell).templates == {}
    assert [review["standing"] for review in shown(shell, code)["reviews"]][-2:] == ["deleted", "deleted"]


@pytest.mark.usefixtures("account")
def test_ids_of_the_partner(shell: Shell, file: Path) -> None:
    code = create(shell, file)
    shell("template", "approve", code, "en", "--account", "shop", "--partner-id", "p-1", "--partner-id", "3100=p-2")
    sent = view(shell).templates[code, "en"]
    assert (sent.partner_id, sent.partner_ids) == ("p-1", {"3100": "p-2"})
    assert shown(shell, code)["languages"][0]["partner_ids"] == {"all": "p-1", "3100": "p-2"}


@pytest.mark.usefixtures("account")
def test_a_prohibited_name(shell: Shell, file: Path) -> None:
    code = create(shell, file)
    for decision in ("approve", "prohibit"):
        shell("template", decision, code, "en", "--account", "shop")
    shell("template", "delete", code, "--account", "shop")
    sentence = "A template 'parcel' in en was deleted while it was prohibited."
    assert shell.fails("template", "create", str(file), "--account", "shop") == sentence
    released = shell("template", "release", "parcel", "en", "--account", "shop", "--reason", "Sorry.")
    assert released.out == "parcel in en may be used again.\n"
    assert create(shell, file) != code


@pytest.mark.usefixtures("account")
def test_metric(shell: Shell, file: Path) -> None:
    code = create(shell, file)
    result = SendResult(outcome=Outcome.SENT, token="t")
    made = draft(account_id=shell.account_id("shop"), kind=MessageKind.TEMPLATE, template_code=code, language="en")
    shell.accept(made, result)
    [row] = shell("template", "metric", code, "--account", "shop", "--json").json
    assert (row["language"], row["sent"], row["delivered"], row["read"]) == ("en", 1, 0, 0)
    assert shell("template", "metric", code, "--account", "bank", "--json").json == []


@pytest.mark.usefixtures("account")
def test_refusals(shell: Shell, file: Path, wrong: Path, tmp_path: Path) -> None:
    code = create(shell, file)
    lacking = tmp_path / "lacking.json"
    lacking.write_text(json.dumps(LEGAL["Components"]))
    path, before = str(file), view(shell)
    refusals = [
        (("create", path, "--account", "none"), "There is no account 'none'."),
        (("create", path, "--account", "shop"), "There is a template 'parcel' in en already."),
        (("create", str(lacking), "--account", "shop"), "Say Name in the file, or --name."),
        (("create", str(lacking), "--account", "shop", "--name", "x"), "Say Language in the file, or --language."),
        (
            ("create", str(lacking), "--account", "shop", "--name", "x", "--language", "xx"),
            "There is no language 'xx'.",
        ),
        (("create", str(lacking), "--account", "shop", "--name", " x", "--language", "en"), "Name must have 1 to 512"),
        (
            ("create", str(wrong), "--account", "shop", "--name", "x", "--language", "en"),
            "Components[0].Text: variables are $(name), not {{1}}. `chatgate template lint` finds everything.",
        ),
        (("modify", "c", "en", path, "--account", "shop"), "There is no such template."),
        (("delete", code, "--account", "bank"), "There is no such template."),
        (("show", code, "--account", "bank"), f"bank has no template '{code}'."),
        (("approve", code, "en", "--account", "bank"), "There is no such template."),
        (("approve", code, "de", "--account", "shop"), "There is no such template."),
        (("pause", code, "en", "--account", "shop"), "To pause it, it must be approved; it is pending."),
        (("reject", code, "en", "--account", "shop"), "A rejection needs a --reason"),
        (("approve", code, "en", "--account", "shop", "--partner-id", "x=y"), "--partner-id takes"),
        (("approve", code, "en", "--account", "shop", "--partner-id", ""), "--partner-id takes"),
        (("list", "--account", "shop", "--standing", "good"), "--standing must be one of"),
        (("list", "--account", "shop", "--category", "good"), "--category must be one of"),
        (("metric", code, "--account", "shop", "--since", "never"), "--since must be"),
        (("metric", code, "--account", "shop", "--granularity", "weekly"), "--granularity must be one of"),
    ]
    for arguments, sentence in refusals:
        assert shell.fails("template", *arguments).startswith(sentence)
    assert view(shell).templates == before.templates
