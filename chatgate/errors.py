"""Every error, in one tree, and every code that the API can answer, in one table.

::

    ChatgateError
    ├── ApiError           the caller is told: code, HTTP status, message
    ├── SettingError       a setting is missing or wrong; the process does not start
    ├── StoreUnavailable   the database cannot commit or read now; nothing was changed
    │   └── OutcomeUnknown the database did not tell whether it has committed
    ├── NameTaken          something of that name exists already
    └── NotFound           a command or page names a thing that does not exist

``docs/errors.md`` is printed from ``CODES``. Sources: *page* is the page "Send Viber messages"; *gateway* the common
gateway errors of Alibaba Cloud; *service* the CAMS service error codes; *ours* our choice, where nothing is documented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Source = Literal["page", "gateway", "service", "ours"]


class ChatgateError(Exception):
    """Anything that chatgate itself reports."""


class SettingError(ChatgateError):
    """A setting is missing, wrong or contradicts another; the sentence says which and how to mend it."""


class StoreUnavailable(ChatgateError):
    """The database cannot commit or read now. What was asked has not happened."""


class OutcomeUnknown(StoreUnavailable):
    """The database broke off, or stood still, while a COMMIT was under way. What was asked may have happened."""


class NameTaken(ChatgateError):
    """Something of that name exists already."""


class NotFound(ChatgateError):
    """The thing named does not exist (or belongs to somebody else: the answer is the same)."""


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One code of the API."""

    code: str
    """With ``{param}`` where the name of a parameter belongs."""
    http: int
    """HTTP status. 200 marks a validation code of the service, which a setting turns into 400."""
    message: str
    """Default text; ``{param}`` as in ``code``."""
    source: Source
    when: str
    """When it is answered, for ``docs/errors.md``."""


class ApiError(ChatgateError):
    """A call is refused. Carries what the answer needs; ``protocol.response`` writes it down."""

    def __init__(
        self,
        code: ErrorCode,
        message: str | None = None,
        *,
        param: str = "",
        headers: dict[str, str] | None = None,
        denied: Mapping[str, str] | None = None,
    ) -> None:
        """``denied``: what ``AccessDeniedDetail`` of the answer tells about a decision of RAM."""
        self.row = code
        self.code = code.code.format(param=param)
        self.http = code.http
        self.message = message if message is not None else code.message.format(param=param)
        self.param = param
        self.headers = headers or {}
        self.denied = denied
        super().__init__(f"{self.code}: {self.message}")


# fmt: off
# --- the request itself, before anything is read from it ------------------------------------------------------------
URI_TOO_LONG = ErrorCode("RequestTargetTooLong", 414, "The request target is longer than 1 MB.", "ours", "request target over 1 MB")
HEADERS_TOO_LARGE = ErrorCode("RequestHeadersTooLarge", 431, "The request headers are larger than 32 kB.", "ours", "headers over 32 kB, or more than 100 of them")
BODY_TOO_LARGE = ErrorCode("RequestBodyTooLarge", 413, "The request body is larger than 1 MB.", "ours", "body over 1 MB")
RECEIVE_TIMEOUT = ErrorCode("RequestTimeout", 408, "The request did not arrive within 10 seconds.", "ours", "request not complete after 10 s")
BAD_REQUEST = ErrorCode("InvalidRequest", 400, "The request is not well-formed HTTP.", "ours", "HTTP that cannot be parsed, invalid UTF-8, a content encoding")
UNSUPPORTED_METHOD = ErrorCode("UnsupportedHTTPMethod", 405, "This http method is not supported.", "gateway", "a method that the path does not know")
PATH_NOT_FOUND = ErrorCode("InvalidPath.NotFound", 404, "Specified path is not found.", "ours", "a path that does not exist")
INTERNAL_ERROR = ErrorCode("InternalError", 500, "The request processing has failed due to some unknown error, exception or failure.", "gateway", "a fault of ours; nothing was accepted")
SERVICE_UNAVAILABLE = ErrorCode("ServiceUnavailable", 503, "The request has failed due to a temporary failure of the server.", "gateway", "the database cannot commit, the process is stopping, or more than 100 requests wait on one connection; nothing was accepted")
OUTCOME_UNKNOWN = ErrorCode("ServiceUnavailable.OutcomeUnknown", 503, "The database did not answer whether it has taken the call. A call with an Idempotency-Key can be made again safely.", "ours", "the database broke off or stood still while its commit was under way: the call may have been accepted")

# --- common parameters and signature --------------------------------------------------------------------------------
INVALID_FORMAT = ErrorCode("InvalidParameter.Format", 400, "Specified parameter format is not valid.", "gateway", "`Format` is neither JSON nor XML")
MISSING = ErrorCode("Missing{param}", 400, "{param} is mandatory for this action.", "gateway", "a required parameter is absent or empty")
AMBIGUOUS = ErrorCode("InvalidParameter.{param}", 400, "Specified parameter {param} is given more than once.", "ours", "one name with two different values")
ACTION_NOT_FOUND = ErrorCode("InvalidAction.NotFound", 404, "Specified api is not found, please check your url and method.", "gateway", "`Action` is not an operation of this product")
INVALID_VERSION = ErrorCode("InvalidVersion", 400, "Specified parameter Version is not valid.", "gateway", "`Version` is not 2020-06-06")
INCOMPLETE_SIGNATURE = ErrorCode("IncompleteSignature", 400, "The request signature does not conform to Aliyun standards.", "gateway", "signature absent, unreadable, in two places, or not covering what it must")
INVALID_SIGNATURE_METHOD = ErrorCode("InvalidSignatureMethod", 400, "Specified signature method is not valid.", "gateway", "unknown algorithm, or one that the key is not made for")
MALFORMED_TIMESTAMP = ErrorCode("InvalidTimeStamp.Format", 400, "Specified time stamp or date value is not well formatted.", "gateway", "time not as `YYYY-MM-DDThh:mm:ssZ`")
INVALID_ACCESS_KEY = ErrorCode("InvalidAccessKeyId.NotFound", 404, "Specified access key is not found.", "gateway", "no such access key, or one that was deleted, or whose user was")
INACTIVE_ACCESS_KEY = ErrorCode("InvalidAccessKeyId.Inactive", 400, "Specified access key is disabled.", "gateway", "the access key is disabled")
MISSING_SECURITY_TOKEN = ErrorCode("MissingSecurityToken", 400, "SecurityToken is mandatory for this action.", "gateway", "an access key that begins with `STS.` without its token")
MALFORMED_SECURITY_TOKEN = ErrorCode("InvalidSecurityToken.Malformed", 400, "Specified SecurityToken is malformed.", "gateway", "a security token that was not issued here")
MISMATCHED_SECURITY_TOKEN = ErrorCode("InvalidSecurityToken.MismatchWithAccessKey", 400, "Specified SecurityToken mismatch with the AccessKey.", "gateway", "a security token that was issued for another access key")
EXPIRED_SECURITY_TOKEN = ErrorCode("InvalidSecurityToken.Expired", 400, "Specified SecurityToken is expired.", "gateway", "a security token whose time is over")
BEARER_NEEDS_TLS = ErrorCode("InvalidProtocol.NeedSsl", 404, "Your request is denied as lack of ssl protect.", "gateway", "a bearer token that came over plain HTTP: whoever listened has it now")
MALFORMED_BEARER_TOKEN = ErrorCode("InvalidBearerToken.Malformed", 400, "Specified BearerToken is malformed.", "ours", "a bearer token that was not issued here")
EXPIRED_BEARER_TOKEN = ErrorCode("InvalidBearerToken.Expired", 400, "Specified BearerToken is expired.", "ours", "a bearer token whose time is over, or whose user is gone")
EXPIRED_TIMESTAMP = ErrorCode("InvalidTimeStamp.Expired", 400, "Specified time stamp or date value is expired.", "gateway", "time more than 15 minutes off")
BODY_HASH_MISMATCH = ErrorCode("ContentSha256NotMatched", 400, "The x-acs-content-sha256 header does not match the request body.", "ours", "V3: the hash is of other bytes than the body")
SIGNATURE_MISMATCH = ErrorCode("SignatureDoesNotMatch", 400, "Specified signature is not matched with our calculation.", "gateway", "the signature is not ours; the message carries the server's string to sign")

# --- the account -----------------------------------------------------------------------------------------------------
UNSUBSCRIBED = ErrorCode("Product.Unsubscript", 400, "You have not subscribed to the specified product.", "page", "the account is not subscribed")
PERMISSION_DENIED = ErrorCode("Ram.PermissionDeny", 400, "You are not authorized to perform the operation.", "page", "the policies of the RAM user, or of the session, do not allow the operation; `AccessDeniedDetail` says why")
LIMIT_CONTROL = ErrorCode("System.LimitControl", 400, "The system is under flow control.", "page", "more than 250 calls of the account in a second, or more of one operation than it allows")
NONCE_USED = ErrorCode("SignatureNonceUsed", 400, "Specified signature nonce was used already.", "gateway", "a signed request that came before")

# --- the parameters of an operation (HTTP 200, or 400 by a setting) ---------------------------------------------------
NOT_OWNER = ErrorCode("Unknown.ResourceOwnerId", 400, "The resource does not belong to the current user.", "page", "`CustSpaceId` is not a space of the account")
INVALID_PARAMETER = ErrorCode("InvalidParameter.{param}", 200, "Specified parameter {param} is not valid.", "ours", "a value out of its type, range or set, where Alibaba documents no code")
CHANNEL_NOT_SUPPORTED = ErrorCode("InvalidParameter.ChannelTypeNotSupport", 200, "The channel type is not supported.", "service", "`ChannelType` is not `viber`, or an operation is one of other channels ([operations](operations.md))")
FROM_ONLY_NUMERIC = ErrorCode("InvalidParameter.FromOnlyNumeric", 200, "From must be digits only.", "service", "`From` holds something else than digits")
TO_ONLY_NUMERIC = ErrorCode("InvalidParameter.ToOnlyNumeric", 200, "To must be digits only.", "service", "`To` holds something else than digits")
MESSAGE_TYPE_EMPTY = ErrorCode("InvalidParameter.MessageTypeNotEmpty", 200, "MessageType must not be empty.", "service", "`Type` is `message` without `MessageType`")
MESSAGE_TYPE_NOT_SUPPORTED = ErrorCode("InvalidParameter.MessageTypeNotSupport", 200, "The message type is not supported.", "service", "`MessageType` is none of the nine")
CONTENT_EMPTY = ErrorCode("InvalidParameter.ContentNotEmpty", 200, "Content must not be empty.", "service", "`Type` is `message` without `Content`")
CONTENT_ERROR = ErrorCode("InvalidParameter.ContentError", 200, "Content is not valid.", "service", "`Content` is not a JSON object, or a key is missing, wrong or forbidden")
TEXT_EMPTY = ErrorCode("InvalidParameter.TextNotEmpty", 200, "The text of Content must not be empty.", "service", "`text` is missing where the message type needs it")
LINK_EMPTY = ErrorCode("InvalidParameter.LinkNotEmpty", 200, "The link of Content must not be empty.", "service", "`link` is missing where the message type needs it")
TEMPLATE_CODE_EMPTY = ErrorCode("InvalidParameter.TemplateCodeNotEmpty", 200, "TemplateCode must not be empty.", "service", "`Type` is `template` without `TemplateCode`")
LANGUAGE_EMPTY = ErrorCode("InvalidParameter.LanguageNotEmpty", 200, "Language must not be empty.", "service", "`Type` is `template` without `Language`")
LANGUAGE_NOT_SUPPORTED = ErrorCode("InvalidParameter.LanguageNotSupport", 200, "The language is not supported.", "service", "`Language` is none of the codes that CAMS lists")
SMS_NOT_SUPPORTED = ErrorCode("InvalidParameter.SendSmsNotSupport", 200, "SMS fallback is not active.", "service", "`FallBackId` names a policy that is switched off")
PAGE_INVALID = ErrorCode("InvalidParameter.PageInvalid", 200, "The page values are not valid.", "service", "`Page` is not a JSON object with an `Index` from 1 and a `Size` from 1 to 100")
MESSAGE_INVALID = ErrorCode("InvalidParameter.MessageInvalid", 200, "The text of the template is not valid.", "service", "a text of `Components` holds `{{1}}`: variables are `$(name)`")
FOOTER_VARIABLE = ErrorCode("InvalidParameter.FooterHaveVariable", 200, "The footer must not hold a variable.", "service", "a FOOTER of `Components` holds a variable")
HEADER_VARIABLES = ErrorCode("InvalidParameter.HeaderMoreVarable", 200, "The header holds more than one variable.", "service", "the HEADER of `Components` holds more than one variable")
HEADER_TYPE = ErrorCode("InvalidParameter.HeaderTypeNotSupport", 200, "The header type is not supported.", "service", "`Format` of the HEADER is not `IMAGE`, `VIDEO` or `DOCUMENT`")
BUTTON_VARIABLE = ErrorCode("InvalidParameter.ButtonTextHaveVariable", 200, "The text of a button must not hold a variable.", "service", "the button's `Text` holds a variable")
URL_VARIABLES = ErrorCode("InvalidParameter.UrlMoreVarable", 200, "The URL of a button holds more than one variable.", "service", "the button's `Url` holds more than one variable")
PHONE_NUMBER_ERROR = ErrorCode("InvalidParameter.PhoneNumberError", 200, "The phone number of the button is wrong.", "service", "the button's `PhoneNumber` is no number")
TEMPLATE_TYPE_NOT_SUPPORTED = ErrorCode("InvalidParameter.TemplateTypeNotSupport", 200, "The template type is not supported.", "service", "`TemplateType` is not `VIBER`")
AUDIT_STATUS_NOT_SUPPORTED = ErrorCode("InvalidParameter.AuditStatusNotSupport", 200, "The audit status is not supported.", "service", "`AuditStatus` is not a documented one")
TEMPLATE_NAME_EXISTS = ErrorCode("InvalidParameter.TemplateNameExist", 200, "The template name exists in this language.", "service", "the account has a template of this `Name` and `Language`")
CREATE_ERROR = ErrorCode("InvalidParameter.CreateError", 200, "The template cannot be created.", "service", "the account has 2,000 templates already, or 100 open requests for senders, or the name was prohibited")
DETAIL_NOT_FOUND = ErrorCode("DetailError.TemplateNotExist", 200, "The template does not exist.", "service", "GetChatappTemplateDetail: the account has no such template")
DELETE_NOT_FOUND = ErrorCode("DelError.TemplateNotExist", 200, "The template does not exist.", "service", "DeleteChatappTemplate: the account has no such template")
TOO_FAR_BACK = ErrorCode("InvalidParameter.TimeRange", 200, "Too many messages lie between StartTime and EndTime to find this page; narrow them.", "ours", "the page of a list lies below more messages than are looked at")
UPLOAD_NOT_SUPPORTED = ErrorCode("InvalidParameter.UploadNotSupport", 200, "This installation takes no uploads; name a URL of your own where media are needed.", "ours", "an operation of uploads")
IDEMPOTENCY_MISMATCH = ErrorCode("IdempotentParameterMismatch", 400, "The request uses an idempotency key that came before with other parameters.", "ours", "the same `Idempotency-Key` (or TaskId and To, where the space says so) with another request")

# fmt: on
CODES: tuple[ErrorCode, ...] = tuple(value for value in globals().values() if isinstance(value, ErrorCode))
"""All codes: those of the gateway in the order in which they are checked, then those of operations."""


def missing(param: str) -> ApiError:
    """Return the refusal of a call that lacks a required parameter."""
    return ApiError(MISSING, param=param)


def invalid(param: str, why: str) -> ApiError:
    """Return the refusal of a wrong value; ``why`` is a full sentence for the caller, and names no secret."""
    return ApiError(INVALID_PARAMETER, why, param=param)


def incomplete(why: str) -> ApiError:
    """Return the refusal of a signature that does not cover what it must; ``why`` is a full sentence for the caller."""
    return ApiError(INCOMPLETE_SIGNATURE, f"{INCOMPLETE_SIGNATURE.message} {why}")
