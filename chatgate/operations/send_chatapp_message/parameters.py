"""What SendChatappMessage takes, in the order in which it is checked.

Source: page "Send Viber messages"; the last group is the rest of the SDK's request. No document gives the lengths
of texts: they are our choice.
"""

from __future__ import annotations

from chatgate import errors
from chatgate.channels import viber
from chatgate.channels.base import Channel
from chatgate.domain.language import LANGUAGES
from chatgate.domain.message import MessageKind, MessageType
from chatgate.protocol.params import Choice, Integer, JsonArray, JsonObject, Parameter, String

CHANNELS: dict[str, Channel] = {viber.NAME: viber}
"""What ``ChannelType`` may be. SMS is none of them: only a fallback sends it."""

UNDELIVERED, SENT_FAILED = "undelivered", "sentFailed"

PARAMETERS: tuple[Parameter, ...] = (
    Choice(
        "ChannelType",
        values=tuple(CHANNELS),
        required=True,
        wrong=errors.CHANNEL_NOT_SUPPORTED,
        description="The channel. Upper and lower case are the same.",
        example="viber",
    ),
    Choice(
        "Type",
        values=tuple(MessageKind),
        required=True,
        description="`template`: an approved template, filled in. `message`: content of your own.",
        example="template",
    ),
    String(
        "From",
        required=True,
        pattern=r"\d+",
        wrong=errors.FROM_ONLY_NUMERIC,
        description="The sender: a Viber service id, or the number that stands for it.",
        example="27549",
    ),
    String(
        "To",
        required=True,
        pattern=r"\d+",
        wrong=errors.TO_ONLY_NUMERIC,
        description="The recipient: 7 to 15 digits with country code, without plus or leading zeros.",
        example="639170000001",
    ),
    String(
        "CustSpaceId",
        description="The space. Not given: the first space of the account.",
        example="282514865123580001",
    ),
    Choice(
        "MessageType",
        values=tuple(MessageType),
        missing=errors.MESSAGE_TYPE_EMPTY,
        wrong=errors.MESSAGE_TYPE_NOT_SUPPORTED,
        description="What the message is made of. Needed with `Type=message`, ignored otherwise.",
        example="text",
    ),
    Choice(
        "FallBackRule",
        values=(UNDELIVERED, SENT_FAILED),
        description="`undelivered` (default): fall back when an accepted message does not arrive. `sentFailed`: also"
        " when the content, the template, its variables or another parameter that is not strict is wrong.",
        example=UNDELIVERED,
    ),
    Integer(
        "FallBackDuration",
        minimum=60,
        maximum=43_200,
        description="Seconds without a delivered receipt after which the fallback is sent. Not given: only on failure.",
        example="120",
    ),
    String(
        "FallBackContent",
        maximum_length=1000,
        description="Text of the fallback message, sent as it is. Needed with `FallBackId`.",
        example="This is a fallback message.",
    ),
    String("FallBackId", description="The fallback policy. Needed with `FallBackContent`.", example="S_000001"),
    Choice(
        "Label",
        values=tuple(viber.LABELS),
        required=True,
        description="Nature of the message. `pormotion` is the same as `promotion`.",
        example="promotion",
    ),
    String(
        "Content",
        missing=errors.CONTENT_EMPTY,
        wrong=errors.CONTENT_ERROR,
        description="A JSON object. Needed with `Type=message`; its keys follow from `MessageType`.",
        example='{"text": "hello whatsapp", "link": "", "caption": "", "fileName": "" }',
    ),
    String(
        "TemplateCode",
        missing=errors.TEMPLATE_CODE_EMPTY,
        maximum_length=255,
        description="The template. Needed with `Type=template`.",
        example="744c4b5c79c9432497a075bdfca30001",
    ),
    Choice(
        "Language",
        values=tuple(sorted(LANGUAGES)),
        missing=errors.LANGUAGE_EMPTY,
        wrong=errors.LANGUAGE_NOT_SUPPORTED,
        description="Language of the template. Needed with `Type=template`.",
        example="en",
    ),
    JsonObject(
        "TemplateParams",
        description="Name to value, for every variable of the template.",
        example='{"param1":"value1","param2":"value2"}',
    ),
    Integer(
        "Ttl",
        minimum=30,
        maximum=1_209_600,
        description="Seconds after which the message is no longer worth delivering.",
        example="50",
    ),
    String("Tag", maximum_length=255, description="A mark of your own.", example="tag"),
    String("TrackingData", maximum_length=1000, description="Data of your own.", example="tracking_id:123456"),
    String("TaskId", maximum_length=255, description="An id of your own; callbacks carry it.", example="100000001"),
    # Of the SDK, for other channels, deprecated, or in test: taken and never read.
    JsonArray("Payload", description="Not used by Viber."),
    JsonObject("ProductAction", description="Not used by Viber."),
    JsonObject("FlowAction", description="Not used by Viber."),
    String("RecipientType", description="Not used by Viber."),
    String("Category", description="Not used by Viber."),
    String("ContextMessageId", description="Not used by Viber."),
    String("TemplateName", description="Not used; `TemplateCode` names the template."),
    String("IsvCode", description="Not used."),
    String("CustWabaId", description="Not used."),
    String("AdAccountId", description="Not used."),
    String("MessageCampaignId", description="Not used."),
    String("TokenType", description="Not used."),
)
