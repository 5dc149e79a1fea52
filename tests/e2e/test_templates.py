"""Review with a running server: the operator decides at the command line, the account hears it and sends."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatgate.domain.message import MessageType
from tests.channels.test_viber_template import LEGAL
from tests.cli.running import environment
from tests.e2e.sandbox import PACE, PATIENCE, PROGRAMS, SENDER, Sandbox, new_account, running
from tests.gateway.wire import Caller, ask

COMPONENTS = json.dumps([{"Type": "BODY", "Text": "Hello $(name)"}])


def call(sandbox: Sandbox, account: str, action: str, **params: str) -> dict[str, Any]:
    found: dict[str, Any] = ask(sandbox.host, Caller(sandbox.host, account).v3(params, action=action)).json
    return found


def create(sandbox: Sandbox, account: str) -> str:
    made = call(
        sandbox, account, "CreateChatappTemplate", Name="parcel", Language="en", Category="UTILITY",
        TemplateType="VIBER", Components=COMPONENTS,
    )  # fmt: skip
    return str(made["Data"]["TemplateCode"])


def status(sandbox: Sandbox, account: str, code: str) -> tuple[str, str]:
    found = call(sandbox, account, "GetChatappTemplateDetail", TemplateCode=code, Language="en")["Data"]
    return found["AuditStatus"], found["Reason"]


def send(sandbox: Sandbox, account: str, code: str) -> dict[str, Any]:
    return call(
        sandbox, account, "SendChatappMessage", ChannelType="viber", Type="template", From=SENDER, To="639170000061",
        Label="transaction", TemplateCode=code, Language="en", TemplateParams='{"name":"Ann"}',
    )  # fmt: skip


def judge(sandbox: Sandbox, account: str, decision: str, code: str, reason: str = "") -> None:
    subprocess.run(
        [PROGRAMS / "chatgate", "template", decision, code, "en", "--account", account, "--reason", reason,
         "--data", sandbox.data],
        check=True, timeout=PATIENCE, env=environment(), stdout=subprocess.DEVNULL,
    )  # fmt: skip


def until(what: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not wanted(found := what()):
        assert time.monotonic() < deadline, found
        time.sleep(4 * PACE)  # GetChatappTemplateDetail may be called ten times a second
    return found


def audits(sandbox: Sandbox, account: str, count: int) -> list[tuple[str, str]]:
    """Return what the endpoint heard of templates, once it is so much."""

    def heard() -> list[tuple[str, str]]:
        reports = [report for call in sandbox.callbacks(account) for report in call["body"]]
        return [(one["AuditStatus"], one["Reason"]) for one in reports if one.get("Type") == "template"]

    found: list[tuple[str, str]] = until(heard, lambda reports: len(reports) >= count)
    return sorted(found)


# What the phone shows of each kind of template: text, image, video, file, button.
TEXT, LINK, ACTION = "Hello Ann, order 7 has left.", "https://cdn.example.com/a", "https://shop.example.com/7"
SHOWN: dict[MessageType, tuple[str | None, str | None, str | None, str | None, str | None]] = {
    MessageType.TEXT: (TEXT, None, None, None, None),
    MessageType.IMAGE: (None, LINK, None, None, None),
    MessageType.VIDEO: (None, None, LINK, None, None),
    MessageType.DOCUMENT: (None, None, None, LINK, None),
    MessageType.TEXT_BUTTON: (TEXT, None, None, None, ACTION),
    MessageType.TEXT_IMAGE_BUTTON: (TEXT, LINK, None, None, ACTION),
    MessageType.TEXT_VIDEO: (TEXT, None, LINK, None, None),
    MessageType.TEXT_VIDEO_BUTTON: (TEXT, None, LINK, None, LINK),
    MessageType.TEXT_IMAGE: (TEXT, LINK, None, None, None),
}


@pytest.mark.parametrize("label", ["promotion", "transaction"])
def test_every_kind_is_on_the_phone(sandbox: Sandbox, account: str, label: str) -> None:
    sent = {}
    for number, message_type in enumerate(MessageType):
        made = call(
            sandbox, account, "CreateChatappTemplate", Name=message_type, Language="en", Category=message_type,
            TemplateType="VIBER", Components=json.dumps(LEGAL[message_type][0]),
        )  # fmt: skip
        answer = call(
            sandbox, account, "SendChatappMessage", ChannelType="viber", Type="template", From=SENDER, Label=label,
            To=f"6391700{number:03}61", TemplateCode=made["Data"]["TemplateCode"], Language="en",
            TemplateParams='{"name":"Ann","no":"7"}',
        )  # fmt: skip
        sent[message_type] = (f"6391700{number:03}61", answer["MessageId"])
    for message_type, (phone, message_id) in sent.items():
        sandbox.delivered(message_id, account)
        [shown] = sandbox.phone(phone, account)
        button = None if shown["button"] is None else shown["button"]["action"]
        assert (*(shown[part] for part in ("text", "image", "video", "file")), button) == SHOWN[message_type]


def test_generic_callers(sandbox: Sandbox, account: str) -> None:
    """Components and samples as flattened parameters; the answer in XML."""
    flat = {
        "Components.1.Type": "BODY", "Components.1.Text": "Hello $(name)", "Components.2.Type": "HEADER",
        "Components.2.Format": "VIDEO", "Components.2.Url": "https://cdn.example.com/a",
        "Components.2.ThumbUrl": "https://cdn.example.com/t", "Components.2.Duration": "30", "Example.name": "Ann",
    }  # fmt: skip
    made = call(
        sandbox, account, "CreateChatappTemplate", Name="parcel", Language="en", Category="UTILITY",
        TemplateType="VIBER", **flat,
    )  # fmt: skip
    assert made["Code"] == "OK", made
    params = {"TemplateName": "parcel", "Language": "en", "Format": "XML"}
    answer = ask(sandbox.host, Caller(sandbox.host, account).v3(params, action="GetChatappTemplateDetail"))
    assert b"<Example><name>Ann</name></Example>" in answer.body
    assert b"<Components><Type>HEADER</Type><Format>VIDEO</Format>" in answer.body


def test_manual_review(tmp_path: Path) -> None:
    with running(tmp_path / "data", template_review="manual") as sandbox:
        account = new_account()
        code = create(sandbox, account)
        assert status(sandbox, account, code) == ("auditing", "")
        assert send(sandbox, account, code)["Code"] == "InvalidParameter.TemplateCode"
        judge(sandbox, account, "reject", code, "Say who you are.")
        assert status(sandbox, account, code) == ("fail", "Say who you are.")
        judge(sandbox, account, "approve", code)
        sent = until(lambda: send(sandbox, account, code), lambda answer: answer["Code"] == "OK")
        message = sandbox.delivered(sent["MessageId"], account)
        assert message["text"] == "Hello Ann"
        judge(sandbox, account, "pause", code, "Complaints.")

        def failed() -> str:
            message_id = send(sandbox, account, code)["MessageId"]
            return str((sandbox.message(message_id, account)["failure"] or {}).get("code"))

        assert until(failed, lambda found: found == "TemplatePaused")
        assert audits(sandbox, account, 4) == [
            ("auditing", ""), ("fail", "Say who you are."), ("pass", ""), ("paused", "Complaints."),
        ]  # fmt: skip


def test_a_delayed_review_is_over_after_a_restart(tmp_path: Path) -> None:
    account = new_account()
    settings = {"template_review": "delayed", "template_review_delay": 1}
    with running(tmp_path / "data", **settings) as sandbox:
        code = create(sandbox, account)
    with running(tmp_path / "data", **settings) as sandbox:
        until(lambda: status(sandbox, account, code), lambda found: found == ("pass", ""))
        until(lambda: send(sandbox, account, code), lambda answer: answer["Code"] == "OK")
        assert audits(sandbox, account, 2) == [("auditing", ""), ("pass", "")]
