"""The ``status`` numbers that a send is answered with. HTTP is 200 for all of them."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """Names as in the partner API, without ``SRVC_``."""

    SUCCESS = 0
    INTERNAL_FAILURE = 1
    BAD_SERVICE_ID = 2
    BAD_DATA = 3
    """Not JSON, or a text of more than 1000 characters."""
    BLOCKED_MESSAGE_TYPE = 4
    """Older lists only; absent from v11.3."""
    BAD_MESSAGE_TYPE = 5
    BAD_PARAMETERS = 6
    """A mandatory field is missing, or tracking data where none is allowed."""
    TIMEOUT = 7
    """Since v11.3 also: an OTP template without ``pin``."""
    USER_BLOCKED = 8
    NOT_VIBER_USER = 9
    NO_SUITABLE_DEVICE = 10
    UNAUTHORIZED_IP = 11
    ALREADY_SENT = 12
    """Older lists only."""
    NOT_PERMITTED = 13
    BILLING_FAILURE = 14
    """Older lists only."""
    BAD_LABEL = 18
    INVALID_TTL = 20
    WAIT_FOR_USER_RESPONSE = 21
    INVALID_PHONE_NUMBER = 27
    FILE_NOT_PERMITTED = 28
    BAD_FILE_NAME_LENGTH = 29
    BAD_THUMBNAIL = 30
    BAD_FILE_SIZE = 31
    BAD_DURATION = 32
    TEMPLATE_NOT_FOUND = 38
    TEMPLATE_VALIDATION_ERROR = 39
    SURVEY_VALIDATION_ERROR = 40
    CAROUSEL_VALIDATION_ERROR = 41
    SERVICE_BLOCKED = 43
    UNAUTHORIZED_IP_V11 = 401
    """v11.3's number for 11."""
