"""The Viber partner's wire: how each reply to a message is read."""

from __future__ import annotations

import pytest

from chatgate.domain.message import Outcome, SendResult
from chatgate.providers import viber_partner
from chatgate.wire import HttpResponse
from tests.drafts import message
from tests.providers.viber import TOKEN, partner


def read(body: bytes, status: int = 200) -> SendResult:
    return partner().decode(message(), HttpResponse(status=status, body=body))


# facts: public partner documentation and client code; every status that any of them names.
STATUSES: dict[int, tuple[str, Outcome]] = {
    1: ("SRVC_INTERNAL_FAILURE", Outcome.DEFERRED),
    2: ("SRVC_BAD_SERVICE_ID", Outcome.REFUSED),
    3: ("SRVC_BAD_DATA", Outcome.REFUSED),
    4: ("SRVC_BLOCKED_MESSAGE_TYPE", Outcome.REFUSED),
    5: ("SRVC_BAD_MESSAGE_TYPE", Outcome.REFUSED),
    6: ("SRVC_BAD_PARAMETERS", Outcome.REFUSED),
    7: ("SRVC_TIMEOUT", Outcome.UNKNOWN),
    8: ("SRVC_USER_BLOCKED", Outcome.REFUSED),
    9: ("SRVC_NOT_VIBER_USER", Outcome.REFUSED),
    10: ("SRVC_NO_SUITABLE_DEVICE", Outcome.REFUSED),
    11: ("SRVC_UNAUTHORIZED_IP", Outcome.REFUSED),
    12: ("SRVC_ALREADY_SENT", Outcome.UNKNOWN),
    13: ("SRVC_NOT_PERMITTED", Outcome.REFUSED),
    14: ("SRVC_BILLING_FAILURE", Outcome.REFUSED),
    17: ("SRVC_NO_MORE_MESSAGES", Outcome.REFUSED),
    18: ("SRVC_BAD_LABEL", Outcome.REFUSED),
    20: ("SRVC_INVALID_TTL", Outcome.REFUSED),
    21: ("SRVC_WAIT_FOR_USER_RESPONSE", Outcome.REFUSED),
    27: ("SRVC_INVALID_PHONE_NUMBER", Outcome.REFUSED),
    28: ("SRVC_FILE_NOT_PERMITTED", Outcome.REFUSED),
    29: ("SRVC_BAD_FILE_NAME_LENGTH", Outcome.REFUSED),
    30: ("SRVC_BAD_THUMBNAIL", Outcome.REFUSED),
    31: ("SRVC_BAD_FILE_SIZE", Outcome.REFUSED),
    32: ("SRVC_BAD_DURATION", Outcome.REFUSED),
    38: ("SRVC_TEMPLATE_NOT_FOUND", Outcome.REFUSED),
    39: ("SRVC_TEMPLATE_VALIDATION_ERROR", Outcome.REFUSED),
    40: ("SRVC_SURVEY_VALIDATION_ERROR", Outcome.REFUSED),
    41: ("SRVC_CAROUSEL_VALIDATION_ERROR", Outcome.REFUSED),
    43: ("SRVC_SERVICE_BLOCKED", Outcome.REFUSED),
    401: ("SRVC_UNAUTHORIZED_IP", Outcome.REFUSED),
    # what nobody names
    19: ("SRVC_19", Outcome.REFUSED),
    999: ("SRVC_999", Outcome.REFUSED),
    -1: ("SRVC_-1", Outcome.REFUSED),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("more", ["", ',"seq":1', ',"message_token":"5379697806260881548"'])
def test_every_refusal(status: int, more: str) -> None:
    result = read(f'{{"status":{status}{more}}}'.encode())
    assert (result.code, result.outcome, result.token) == (*STATUSES[status], None)


def test_no_status_is_forgotten() -> None:
    assert viber_partner.STATUSES.keys() == {0} | {status for status in STATUSES if status not in (19, 999, -1)}


@pytest.mark.parametrize("token", [f'"{TOKEN}"', TOKEN])
@pytest.mark.parametrize("more", ["", ',"seq":7', ',"session_id":"1","matching_template_id":3,"new":[{}]'])
def test_accepted(token: str, more: str) -> None:
    result = read(f'{{"status":0,"message_token":{token}{more}}}'.encode())
    assert result == SendResult(outcome=Outcome.SENT, token=TOKEN, code="SRVC_SUCCESS")


@pytest.mark.parametrize("token", ["1", "0", "18446744073709551616", "123456789012345678901234567890"])
def test_token_of_any_size_stays_as_it_is(token: str) -> None:
    assert read(f'{{"status":0,"message_token":{token}}}'.encode()).token == token


@pytest.mark.parametrize("body", ['{"status":0}', '{"status":0,"message_token":null}'])
def test_accepted_without_a_token_is_accepted(body: str) -> None:
    """Sending it again would be twice; only its receipts cannot be joined."""
    assert (read(body.encode()).outcome, read(body.encode()).token) == (Outcome.SENT, None)


@pytest.mark.parametrize(
    "body",
    [
        '{"status":0,"message_token":""}',
        '{"status":0,"message_token":1.5}',
        '{"status":0,"message_token":true}',
        '{"status":0,"message_token":["1"]}',
        '{"status":0,"message_token":"a\\u0000b"}',
        '{"status":0,"message_token":"a b"}',
        f'{{"status":0,"message_token":"{"9" * 65}"}}',
        '{"status":"0"}',
        '{"status":null}',
        '{"status":true}',
        '{"message_token":"1"}',
        "{}",
    ],
)
def test_a_reply_that_settles_nothing_is_unknown(body: str) -> None:
    assert (read(body.encode()).outcome, read(body.encode()).token) == (Outcome.UNKNOWN, None)
