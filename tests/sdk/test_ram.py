"""RAM users, policies and temporary credentials, as a program with the official SDK meets them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_cams20200606.client import Client  # type: ignore[import-untyped]
from alibabacloud_tea_openapi.exceptions import ClientException  # type: ignore[import-untyped]
from alibabacloud_tea_openapi.utils_models import Config  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from chatgate import sealing
from chatgate.clock import HOUR, SystemClock
from chatgate.gateway import sts
from chatgate.gateway.sts import Wish
from tests.e2e.command import chatgate, chatgate_json, until
from tests.e2e.sandbox import Sandbox, running
from tests.sdk import python5
from tests.sdk.calls import TEXT, Call

pytestmark = pytest.mark.xdist_group("sdk")

ALGORITHMS = pytest.mark.parametrize("algorithm", ["ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "v2"])

LIST: dict[str, object] = {
    "BusinessNumber": "27549", "ChannelType": "viber", "CustSpaceId": TEXT["CustSpaceId"],
    "Page": {"Index": 1, "Size": 10},
}  # fmt: skip


@pytest.fixture
def call(sandbox: Sandbox, account: str) -> Call:
    """A call of the account itself, which exists from its first call on."""
    own = Call(sandbox.host, account, account, TEXT)
    assert code(own) == "OK"
    return own


def code(call: Call, **config: str) -> str:
    return answer(call, **config)[0]


def answer(call: Call, **config: str) -> tuple[str, str | None]:
    """Return code and MessageId."""
    [outcome] = python5.run([call], **config)  # type: ignore[arg-type]
    return outcome.code, outcome.message_id


def refusal(call: Call, **config: str) -> Any:
    """Return what the SDK raises for a call."""
    with pytest.raises(ClientException) as caught:
        python5.client(call, **config).send_chatapp_message(python5.request(call.params))
    return caught.value


def user(sandbox: Sandbox, call: Call, *policies: str) -> Call:
    """Create a RAM user with policies, and return its call, once its key is known."""
    account = call.access_key_id
    chatgate(sandbox, "user", "create", account, "alice")
    for policy in policies:
        chatgate(sandbox, "policy", "attach", account, policy, "alice")
    return with_key(call, chatgate_json(sandbox, "key", "create", account, "--user", "alice"))


def with_key(call: Call, made: dict[str, str]) -> Call:
    own = replace(call, access_key_id=made["access_key_id"], secret=made["access_key_secret"])
    until(lambda: code(own) not in ("InvalidAccessKeyId.NotFound", "SignatureDoesNotMatch"))
    return own


def policy(sandbox: Sandbox, call: Call, name: str, *statements: Mapping[str, object], replaces: bool = False) -> str:
    text = json.dumps({"Version": "1", "Statement": list(statements)})
    more = ("--replace",) if replaces else ()
    chatgate(sandbox, "policy", "create", call.access_key_id, name, "-", *more, stdin=text)
    return name


# --- users and policies ----------------------------------------------------------------------------------------------


def test_a_user_without_a_policy_may_do_nothing(sandbox: Sandbox, call: Call) -> None:
    error = refusal(user(sandbox, call))
    assert (error.status_code, error.code) == (400, "Ram.PermissionDeny")
    assert error.data["Message"] == "You are not authorized to perform the operation."
    assert error.access_denied_detail == {
        "PolicyType": "AccountLevelIdentityBasedPolicy", "NoPermissionType": "ImplicitDeny",
        "AuthAction": "cams:SendChatappMessage", "AuthPrincipalType": "SubUser",
        "AuthPrincipalOwnerId": error.access_denied_detail["AuthPrincipalOwnerId"],
        "AuthPrincipalDisplayName": "alice",
        "Explanation": "alice may not call cams:SendChatappMessage: no policy is attached that allows it.",
    }  # fmt: skip
    assert sandbox.messages(call.access_key_id)[1:] == []


def test_a_user_may_do_what_a_policy_allows(sandbox: Sandbox, call: Call) -> None:
    alice = user(sandbox, call, "AliyunCamsFullAccess")
    told, message_id = answer(alice)
    assert told == "OK"
    assert message_id is not None
    sandbox.delivered(message_id, call.access_key_id)
    why = chatgate(sandbox, "why", message_id)
    assert "alice may call cams:SendChatappMessage: statement 1 of policy AliyunCamsFullAccess allows it." in why


def test_reading_is_not_sending(sandbox: Sandbox, call: Call) -> None:
    alice = user(sandbox, call, "AliyunCamsReadOnlyAccess")
    assert code(alice) == "Ram.PermissionDeny"
    assert code(replace(alice, action="ListChatappMessage", params=LIST)) == "OK"
    assert code(replace(alice, action="UpdateAccountWebhook", params={})) == "Ram.PermissionDeny"


def test_an_explicit_deny_wins(sandbox: Sandbox, call: Call) -> None:
    deny = {
        "Effect": "Deny", "Action": "cams:Send*", "Resource": "*",
        "Condition": {"StringNotLike": {"cams:To": "63917*"}, "IpAddress": {"acs:SourceIp": "127.0.0.0/8"}},
    }  # fmt: skip
    alice = user(sandbox, call, "AliyunCamsFullAccess", policy(sandbox, call, "manila-only", deny))
    assert code(alice) == "OK"
    error = refusal(replace(alice, params=TEXT | {"To": "491511234567"}))
    assert error.access_denied_detail["NoPermissionType"] == "ExplicitDeny"
    assert error.access_denied_detail["Explanation"].endswith("statement 1 of policy manila-only denies it.")


def test_a_refusal_is_logged_without_numbers(tmp_path: Path, account: str) -> None:
    """The sentence may tell values of a policy, and these may be somebody's number."""
    allow = {
        "Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"cams:To": "639170054321"}},
    }  # fmt: skip
    with running(tmp_path / "data", log_level="info") as sandbox:
        call = Call(sandbox.host, account, account, TEXT)
        assert code(call) == "OK"
        error = refusal(user(sandbox, call, policy(sandbox, call, "one-number", allow)))
    assert "639170054321" in error.access_denied_detail["Explanation"]
    log = (tmp_path / "data.log").read_text()
    (line,) = [line for line in log.splitlines() if error.request_id in line]
    assert "call.denied" in line
    assert "639170054321" not in log


def test_a_changed_policy_counts_soon(sandbox: Sandbox, call: Call) -> None:
    allow = {"Effect": "Allow", "Action": "cams:SendChatappMessage", "Resource": "*"}
    own = policy(sandbox, call, "own", allow)
    alice = user(sandbox, call, own)
    assert code(alice) == "OK"
    policy(sandbox, call, "own", allow | {"Effect": "Deny"}, replaces=True)
    until(lambda: code(alice) == "Ram.PermissionDeny")
    policy(sandbox, call, "own", allow, replaces=True)
    until(lambda: code(alice) == "OK")
    chatgate(sandbox, "policy", "detach", call.access_key_id, own, "alice")
    until(lambda: code(alice) == "Ram.PermissionDeny")


def test_another_accounts_policy_does_not_count(sandbox: Sandbox, call: Call) -> None:
    """A policy that names the account of somebody else's users allows nothing here."""
    theirs = {"Effect": "Allow", "Action": "*", "Resource": "acs:cams::1:*"}
    assert code(user(sandbox, call, policy(sandbox, call, "theirs", theirs))) == "Ram.PermissionDeny"


def test_the_account_itself_needs_no_policy(sandbox: Sandbox, call: Call) -> None:
    user(sandbox, call)
    assert code(call) == "OK"


# --- keys ------------------------------------------------------------------------------------------------------------


def test_a_disabled_key_and_a_deleted_one(sandbox: Sandbox, call: Call) -> None:
    alice = user(sandbox, call, "AliyunCamsFullAccess")
    chatgate(sandbox, "key", "disable", alice.access_key_id)
    until(lambda: code(alice) == "InvalidAccessKeyId.Inactive")
    chatgate(sandbox, "key", "enable", alice.access_key_id)
    until(lambda: code(alice) == "OK")
    chatgate(sandbox, "key", "delete", alice.access_key_id, "--force")
    until(lambda: code(alice) == "InvalidAccessKeyId.NotFound")


def test_an_rsa_key_of_a_user(sandbox: Sandbox, call: Call, tmp_path: Path) -> None:
    alice = user(sandbox, call, "AliyunCamsReadOnlyAccess")
    private = rsa.generate_private_key(65537, 2048)
    pem = tmp_path / "public.pem"
    pem.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    made = chatgate_json(sandbox, "key", "create", call.access_key_id, "--user", "alice", "--rsa", str(pem))
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().strip()
    own = replace(alice, access_key_id=made["access_key_id"], secret=secret, action="ListChatappMessage", params=LIST)
    until(lambda: code(own, signature_algorithm="ACS3-RSA-SHA256") == "OK")
    sending = replace(own, action="SendChatappMessage", params=TEXT)
    assert code(sending, signature_algorithm="ACS3-RSA-SHA256") == "Ram.PermissionDeny"


# --- subscription and ownership --------------------------------------------------------------------------------------


def test_an_account_that_is_not_subscribed(sandbox: Sandbox, call: Call) -> None:
    chatgate(sandbox, "account", "unsubscribe", call.access_key_id)
    until(lambda: code(call) != "OK")
    error = refusal(call)
    assert (error.status_code, error.code) == (400, "Product.Unsubscript")
    assert error.data["Message"] == "You have not subscribed to the specified product."
    chatgate(sandbox, "account", "subscribe", call.access_key_id)
    until(lambda: code(call) == "OK")


def test_a_space_of_somebody_else(call: Call) -> None:
    error = refusal(replace(call, params=TEXT | {"CustSpaceId": "282514865123580009"}))
    assert (error.status_code, error.code) == (400, "Unknown.ResourceOwnerId")
    assert error.data["Message"] == "The resource does not belong to the current user."
    assert error.access_denied_detail is None


# --- temporary credentials -------------------------------------------------------------------------------------------


def temporary(sandbox: Sandbox, call: Call, *arguments: str, stdin: str | None = None) -> tuple[Call, str]:
    """Issue temporary credentials; return a call with them, and the security token."""
    made = chatgate_json(sandbox, "sts", "issue", call.access_key_id, *arguments, stdin=stdin)
    own = replace(call, access_key_id=made["access_key_id"], secret=made["access_key_secret"])
    return own, made["security_token"]


@ALGORITHMS
def test_a_token_of_the_account(sandbox: Sandbox, call: Call, algorithm: str) -> None:
    own, token = temporary(sandbox, call)
    assert own.access_key_id.startswith("STS.")
    assert code(own, security_token=token, signature_algorithm=algorithm) == "OK"


def test_a_token_of_a_user(sandbox: Sandbox, call: Call) -> None:
    user(sandbox, call, "AliyunCamsReadOnlyAccess")
    own, token = temporary(sandbox, call, "--user", "alice")
    assert code(replace(own, action="ListChatappMessage", params=LIST), security_token=token) == "OK"
    error = refusal(own, security_token=token)
    assert error.code == "Ram.PermissionDeny"
    assert error.access_denied_detail["AuthPrincipalType"] == "AssumedRoleUser"


def test_a_token_with_a_policy(sandbox: Sandbox, call: Call) -> None:
    text = json.dumps({
        "Version": "1", "Statement": [{
            "Effect": "Allow", "Action": "cams:*", "Resource": "*",
            "Condition": {"StringEquals": {"cams:To": TEXT["To"]}, "Bool": {"acs:MFAPresent": True}},
        }]
    })  # fmt: skip
    own, token = temporary(sandbox, call, "--policy", "-", "--mfa", stdin=text)
    assert code(own, security_token=token) == "OK"
    error = refusal(replace(own, params=TEXT | {"To": "639170000099"}), security_token=token)
    assert (error.code, error.access_denied_detail["PolicyType"]) == ("Ram.PermissionDeny", "SessionPolicy")
    own, token = temporary(sandbox, call, "--policy", "-", stdin=text)
    assert code(own, security_token=token) == "Ram.PermissionDeny"  # nobody proved a second factor


def test_a_token_ends_with_its_user(sandbox: Sandbox, call: Call) -> None:
    alice = user(sandbox, call, "AliyunCamsFullAccess")
    own, token = temporary(sandbox, call, "--user", "alice")
    assert code(own, security_token=token) == "OK"
    chatgate(sandbox, "key", "delete", alice.access_key_id, "--force")
    chatgate(sandbox, "user", "delete", call.access_key_id, "alice")
    until(lambda: code(own, security_token=token) == "InvalidAccessKeyId.NotFound")


@ALGORITHMS
def test_an_expired_token(sandbox: Sandbox, call: Call, algorithm: str) -> None:
    ring = sealing.load_or_create(sandbox.data / "key-ring")
    before = SystemClock().now() - 2 * HOUR
    made = sts.issue(ring, Wish(account_id=owner_of(sandbox, call), user_id=None, name="x", duration=HOUR), before)
    own = replace(call, access_key_id=made.access_key_id, secret=made.secret)
    error = refusal(own, security_token=made.security_token, signature_algorithm=algorithm)
    assert (error.status_code, error.code) == (400, "InvalidSecurityToken.Expired")


def owner_of(sandbox: Sandbox, call: Call) -> int:
    rows = chatgate_json(sandbox, "account", "list")
    return int(next(row["id"] for row in rows if row["name"] == call.access_key_id))


@ALGORITHMS
def test_a_token_of_another_key(sandbox: Sandbox, call: Call, algorithm: str) -> None:
    own, _ = temporary(sandbox, call)
    _, other = temporary(sandbox, call)
    for there in (own, call):  # another temporary key, and a permanent one
        error = refusal(there, security_token=other, signature_algorithm=algorithm)
        assert (error.status_code, error.code) == (400, "InvalidSecurityToken.MismatchWithAccessKey")


def test_a_token_alone_is_not_enough(sandbox: Sandbox, call: Call) -> None:
    own, token = temporary(sandbox, call)
    assert code(replace(own, secret="guessed"), security_token=token) == "SignatureDoesNotMatch"
    assert code(own, security_token=token[:-8] + "AAAAAAA=") == "InvalidSecurityToken.Malformed"


def test_temporary_credentials_cannot_be_disabled_by_key(sandbox: Sandbox, call: Call) -> None:
    """They are stored nowhere: what ends them is their time, their user, or the key of the ring."""
    own, _ = temporary(sandbox, call)
    with pytest.raises(Exception, match="There is no access key"):
        chatgate(sandbox, "key", "disable", own.access_key_id)


# --- bearer tokens ---------------------------------------------------------------------------------------------------

SCHEMES = pytest.mark.parametrize("algorithm", ["ACS3-HMAC-SHA256", "v2"])
"""A bearer token is sent in a header, or, of the older SDKs, in a parameter."""


def bearer(sandbox: Sandbox, call: Call, *arguments: str, stdin: str | None = None) -> str:
    """Issue a bearer token."""
    made = chatgate_json(sandbox, "sts", "issue", call.access_key_id, "--bearer", *arguments, stdin=stdin)
    assert made.keys() == {"account", "user", "bearer_token", "expires_at"}
    return str(made["bearer_token"])


def sent(call: Call, token: str, algorithm: str) -> str:
    """Send with a bearer token and nothing else; return the code."""
    config = Config(bearer_token=token, endpoint=call.endpoint, protocol="HTTP", signature_algorithm=algorithm)
    try:
        return str(Client(config).send_chatapp_message(python5.request(call.params)).body.code)
    except ClientException as error:
        return str(error.code)


@SCHEMES
def test_a_bearer_token_of_the_account(sandbox: Sandbox, call: Call, algorithm: str) -> None:
    token = bearer(sandbox, call)
    assert [sent(call, token, algorithm) for _ in range(2)] == ["OK", "OK"]
    assert len(sandbox.messages(call.access_key_id)) == 3


@SCHEMES
def test_a_bearer_token_of_a_user(sandbox: Sandbox, call: Call, algorithm: str) -> None:
    """It may do what the user may, and it ends with the user."""
    alice = user(sandbox, call, "AliyunCamsFullAccess")
    token = bearer(sandbox, call, "--user", "alice")
    assert sent(call, token, algorithm) == "OK"
    chatgate(sandbox, "policy", "detach", call.access_key_id, "AliyunCamsFullAccess", "alice")
    until(lambda: sent(call, token, algorithm) == "Ram.PermissionDeny")
    chatgate(sandbox, "key", "delete", alice.access_key_id, "--force")
    chatgate(sandbox, "user", "delete", call.access_key_id, "alice")
    until(lambda: sent(call, token, algorithm) == "InvalidBearerToken.Expired")


@SCHEMES
def test_a_bearer_token_with_a_policy(sandbox: Sandbox, call: Call, algorithm: str) -> None:
    text = json.dumps({
        "Version": "1",
        "Statement": [{
            "Effect": "Allow", "Action": "cams:Send*", "Resource": "*",
            "Condition": {"StringEquals": {"cams:To": TEXT["To"]}},
        }],
    })  # fmt: skip
    token = bearer(sandbox, call, "--policy", "-", stdin=text)
    assert sent(call, token, algorithm) == "OK"
    assert sent(replace(call, params=TEXT | {"To": "639170000099"}), token, algorithm) == "Ram.PermissionDeny"


@SCHEMES
def test_an_expired_bearer_token(sandbox: Sandbox, call: Call, algorithm: str) -> None:
    ring, before = sealing.load_or_create(sandbox.data / "key-ring"), SystemClock().now() - 2 * HOUR
    wish = Wish(account_id=owner_of(sandbox, call), user_id=None, name="x", duration=HOUR)
    assert sent(call, sts.issue_bearer(ring, wish, before).token, algorithm) == "InvalidBearerToken.Expired"


@SCHEMES
def test_a_security_token_is_no_bearer_token(sandbox: Sandbox, call: Call, algorithm: str) -> None:
    _, token = temporary(sandbox, call)
    assert sent(call, token, algorithm) == "InvalidBearerToken.Malformed"
