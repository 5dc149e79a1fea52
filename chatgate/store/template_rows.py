"""Templates as rows of their table, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from chatgate.clock import Instant
from chatgate.domain.account import Standing, Template
from chatgate.domain.message import Content, MessageType
from chatgate.domain.review import TemplateRecord, TemplateText
from chatgate.store import rows

DEFAULT_CATEGORY = "UTILITY"
"""Of templates that the API did not make."""

COLUMNS = (
    "account_id", "template_code", "language", "name", "body", "standing", "partner_id", "partner_ids", "message_type",
    "parts", "category", "components", "example", "message_send_ttl", "reason", "review_at", "created_at", "updated_at",
)  # fmt: skip

_ids = msgspec.json.Decoder(dict[str, str])
_parts = msgspec.json.Decoder(Content)
_components = msgspec.json.Decoder(list[dict[str, Any]])


def values(account_id: int, record: TemplateRecord) -> rows.Values:
    """Return a template's values, in the order of ``COLUMNS``."""
    sent, text = record.template, record.text
    return (
        account_id, sent.template_code, sent.language, sent.name, sent.body, str(sent.standing), sent.partner_id,
        _json(sent.partner_ids or None), str(sent.message_type), _json(sent.parts), text.category,
        _json(text.components), _json(text.example), text.message_send_ttl, record.reason, record.review_at,
        record.created_at, record.updated_at,
    )  # fmt: skip


def given(account_id: int, template: Template, now: Instant) -> rows.Values:
    """Return the values of a template of which only that is known that sending needs."""
    text = TemplateText(category=DEFAULT_CATEGORY, components=[{"Type": "BODY", "Text": template.body}])
    record = TemplateRecord(template=template, text=text, reason="", created_at=now, updated_at=now)
    return values(account_id, record)


def sendable(row: rows.AnyRow) -> Template:
    """Return what sending needs of a template."""
    return Template(
        template_code=row.template_code, language=row.language, name=row.name, body=row.body,
        standing=Standing(row.standing), partner_id=row.partner_id,
        partner_ids={} if row.partner_ids is None else _ids.decode(row.partner_ids),
        message_type=MessageType(row.message_type or MessageType.TEXT),
        parts=None if row.parts is None else _parts.decode(row.parts),
    )  # fmt: skip


def record(row: rows.AnyRow) -> TemplateRecord:
    """Return all of a template. A row from before templates were made by the API has but its body."""
    example: Mapping[str, str] | None = None if row.example is None else _ids.decode(row.example)
    body = [{"Type": "BODY", "Text": row.body}]
    text = TemplateText(
        category=row.category or DEFAULT_CATEGORY, example=example, message_send_ttl=row.message_send_ttl,
        components=body if row.components is None else _components.decode(row.components),
    )  # fmt: skip
    return TemplateRecord(
        template=sendable(row), text=text, reason=row.reason or "", created_at=row.created_at or 0,
        updated_at=row.updated_at or 0, review_at=row.review_at,
    )  # fmt: skip


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
