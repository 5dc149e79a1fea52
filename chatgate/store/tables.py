"""The schema. One set of tables for SQLite and PostgreSQL; ``migrations`` brings a database to it.

Rules:

1. Every table of a customer's data carries ``account_id``; no statement but the claim crosses accounts.
2. Instants are integer milliseconds UTC. Keys are time-ordered 63-bit integers (``ids``).
3. A timeline is not stored twice: it is read from the message, its attempts, its receipts and its notes.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

Long = BigInteger().with_variant(Integer, "sqlite")
"""63 bits on both; SQLite makes an INTEGER primary key the row's own address, but not a BIGINT."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)


def _keyed(*columns: str) -> PrimaryKeyConstraint:
    return PrimaryKeyConstraint(*columns)


installation = Table(
    "installation",
    metadata,
    Column("name", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    _keyed("name"),
    sqlite_with_rowid=False,
    comment="what belongs to this database as a whole: the secret behind MessageIds, the canary of the key ring",
)

nodes = Table(
    "nodes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("started_at", Long, nullable=False),
    comment="one row a process start; its number keeps the keys of two processes apart",
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Long, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    Column("subscribed", Boolean, nullable=False),
    Column("calls_per_second", Integer),
    Column("callback_secret", LargeBinary, comment="sealed; made with the first endpoint"),
    Column("created_at", Long, nullable=False),
    Column("changed_at", Long, nullable=False, index=True),
)

access_keys = Table(
    "access_keys",
    metadata,
    Column("access_key_id", Text, nullable=False),
    Column("account_id", Long, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", Long, nullable=False),
    Column("changed_at", Long, nullable=False, index=True),
    Column("user_id", Long, comment="whose it is; None: the account's own"),
    Column("last_used_at", Long, comment="written some time later"),
    Column("deleted_at", Long, comment="its secret is gone; the row stays, so that every node hears of it"),
    _keyed("access_key_id"),
    sqlite_with_rowid=False,
)

spaces = Table(
    "spaces",
    metadata,
    Column("account_id", Long, nullable=False),
    Column("space_id", Text, nullable=False),
    Column("retry_by_task", Boolean, nullable=False),
    Column("video_button_action", Boolean, nullable=False),
    Column("clamp_ttl", Boolean, nullable=False),
    Column("sms_consent", Boolean, nullable=False),
    Column("made_at", Long, comment="None: by the operator"),
    Column("details", Text, comment="what its owner wrote down about it: a JSON object"),
    _keyed("account_id", "space_id"),
    sqlite_with_rowid=False,
)
SPACE_ORDER = (func.coalesce(spaces.c.made_at, 0), spaces.c.space_id)
"""Oldest first: the first stands for a call that names none, so a new one must not come before it."""

senders = Table(
    "senders",
    metadata,
    Column("account_id", Long, nullable=False),
    Column("channel", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("service_id", Text, nullable=False),
    Column("standing", Text, nullable=False),
    _keyed("account_id", "channel", "sender"),
    sqlite_with_rowid=False,
)

Index("ix_senders_service", senders.c.service_id)

templates = Table(
    "templates",
    metadata,
    Column("account_id", Long, nullable=False),
    Column("template_code", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("standing", Text, nullable=False),
    Column("partner_id", Text),
    Column("partner_ids", Text, comment="JSON: id by service id, where senders have different ones"),
    Column("message_type", Text, comment="None: text"),
    Column("parts", Text, comment="JSON: what it shows beside its text; None: nothing"),
    Column("category", Text),
    Column("components", Text, comment="JSON; None: the body alone"),
    Column("example", Text, comment="JSON: a sample for each variable"),
    Column("message_send_ttl", Integer, comment="seconds"),
    Column("reason", Text, comment="of its standing"),
    Column("review_at", Long, comment="when a delayed review approves it"),
    Column("created_at", Long),
    Column("updated_at", Long),
    _keyed("account_id", "template_code", "language"),
    sqlite_with_rowid=False,
)
_in_review = text("review_at IS NOT NULL")
Index("ix_templates_review", templates.c.review_at, sqlite_where=_in_review, postgresql_where=_in_review)

reviews = Table(
    "reviews",
    metadata,
    Column("id", Long, primary_key=True, autoincrement=True),
    Column("account_id", Long, nullable=False),
    Column("kind", Text, nullable=False, comment="template or sender"),
    Column("name", Text, nullable=False, comment="TemplateCode, or the sender"),
    Column("language", Text, nullable=False, comment="empty: of a sender"),
    Column("standing", Text, nullable=False, comment="what it was from then on; deleted: nothing"),
    Column("at", Long, nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("reason", Text, nullable=False),
    comment="who decided what on a template or a sender, when and why",
)
Index("ix_reviews_of", reviews.c.account_id, reviews.c.kind, reviews.c.name, reviews.c.id)

sender_requests = Table(
    "sender_requests",
    metadata,
    Column("account_id", Long, nullable=False),
    Column("request_no", Text, nullable=False),
    Column("space_id", Text, nullable=False),
    Column("request_type", Text, nullable=False),
    Column("result", Text, nullable=False, comment="unAudit, pass, fail"),
    Column("reason", Text, nullable=False),
    Column("record", Text, nullable=False, comment="JSON: what the account wrote"),
    Column("sender", Text, comment="which one was granted"),
    Column("service_id", Text),
    Column("creator", Text, nullable=False),
    Column("modifier", Text, nullable=False),
    Column("created_at", Long, nullable=False),
    Column("changed_at", Long, nullable=False),
    Column("audited_at", Long),
    _keyed("account_id", "request_no"),
    sqlite_with_rowid=False,
    comment="what accounts apply for: to send by Viber, to which countries, to pause",
)

fallback_policies = Table(
    "fallback_policies",
    metadata,
    Column("account_id", Long, nullable=False),
    Column("policy_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sms_sender", Text, nullable=False),
    Column("lane", Text),
    Column("enabled", Boolean, nullable=False),
    _keyed("account_id", "policy_id"),
    sqlite_with_rowid=False,
)

messages = Table(
    "messages",
    metadata,
    Column("id", Long, primary_key=True, autoincrement=False),
    Column("account_id", Long, nullable=False),
    Column("space_id", Text, nullable=False),
    Column("lane", Text, nullable=False, comment="the provider that is to carry it (domain.routing)"),
    Column("status", Text, nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("losses", SmallInteger, nullable=False),
    Column("due_at", Long),
    Column("accepted_at", Long, nullable=False),
    Column("expires_at", Long, nullable=False),
    Column("status_at", Long, nullable=False),
    Column(
        "sender", Text, nullable=False, comment="From of the call; of an SMS its parent's: whose endpoint hears of it"
    ),
    Column("service_id", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("template_code", Text),
    Column("parent_id", Long),
    Column("group_id", Long, comment="the mass sending that it belongs to; of an SMS its parent's"),
    Column("fallback_state", Text),
    Column("fallback_at", Long),
    Column("failure_code", Text),
    Column("failure_reason", Text),
    Column("request_id", Text, nullable=False),
    Column("draft", Text, nullable=False),
)
Index("ix_messages_account", messages.c.account_id, messages.c.id)
_called = text("parent_id IS NULL")
Index(
    "ix_messages_history",  # recipient is no part of the order: it is there so that no row is read to look at it
    messages.c.account_id, messages.c.sender, messages.c.space_id, messages.c.id, messages.c.recipient,
    sqlite_where=_called, postgresql_where=_called,
)  # fmt: skip
_due = text("due_at IS NOT NULL")
Index("ix_messages_due", messages.c.lane, messages.c.due_at, sqlite_where=_due, postgresql_where=_due)
_unknown = text("status = 'unknown'")
Index("ix_messages_unknown", messages.c.recipient, sqlite_where=_unknown, postgresql_where=_unknown)

_armed = text("fallback_state = 'armed' AND fallback_at IS NOT NULL")
Index("ix_messages_fallback", messages.c.fallback_at, sqlite_where=_armed, postgresql_where=_armed)
_held = text("fallback_state = 'held'")
Index("ix_messages_held", messages.c.account_id, messages.c.id, sqlite_where=_held, postgresql_where=_held)
_child = text("parent_id IS NOT NULL")
Index("ix_messages_parent", messages.c.parent_id, sqlite_where=_child, postgresql_where=_child)

_grouped = text("group_id IS NOT NULL")
Index(
    "ix_messages_group", messages.c.group_id, messages.c.account_id, messages.c.id,
    sqlite_where=_grouped, postgresql_where=_grouped,
)  # fmt: skip

attempts = Table(
    "attempts",
    metadata,
    Column("message_id", Long, nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("account_id", Long, nullable=False),
    Column("provider", Text, nullable=False),
    Column("started_at", Long, nullable=False),
    Column("ended_at", Long, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("token", Text),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _keyed("message_id", "number"),
    sqlite_with_rowid=False,
)

tokens = Table(
    "tokens",
    metadata,
    Column("provider", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("message_id", Long, nullable=False),
    Column("account_id", Long, nullable=False),
    _keyed("provider", "token"),
    sqlite_with_rowid=False,
    comment="what a provider's receipts call a message; kept as long as the message",
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", Long, primary_key=True, autoincrement=False),
    Column("provider", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("at", Long, nullable=False),
    Column("received_at", Long, nullable=False),
    Column("service_id", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("message_id", Long),
    Column("account_id", Long),
    Column("effect", Text, nullable=False),
)
_joined = text("message_id IS NOT NULL")
Index("ix_receipts_message", receipts.c.message_id, sqlite_where=_joined, postgresql_where=_joined)
_parked = text("effect = 'parked'")
Index("ix_receipts_parked", receipts.c.token, sqlite_where=_parked, postgresql_where=_parked)
Index("ix_receipts_parked_phone", receipts.c.recipient, sqlite_where=_parked, postgresql_where=_parked)

blocks = Table(
    "blocks",
    metadata,
    Column("account_id", Long, nullable=False),
    Column("service_id", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("at", Long, nullable=False),
    _keyed("account_id", "service_id", "recipient"),
    sqlite_with_rowid=False,
    comment="who unsubscribed from a sender and has not subscribed again",
)

replies = Table(
    "replies",
    metadata,
    Column("id", Long, primary_key=True, autoincrement=False),
    Column("account_id", Long, nullable=False),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False, comment="the phone that wrote"),
    Column("at", Long, nullable=False),
    Column("received_at", Long, nullable=False),
    Column("reply", Text, nullable=False),
)
Index("ix_replies_account", replies.c.account_id, replies.c.id)

endpoints = Table(
    "endpoints",
    metadata,
    Column("id", Long, primary_key=True, autoincrement=False),
    Column("account_id", Long, nullable=False),
    Column("sender", Text, nullable=False, comment="From whose news it hears; empty: all senders without an own one"),
    Column("kind", Text, nullable=False, comment="status or inbound"),
    Column("url", Text, comment="None: taken away"),
    Column("batch", SmallInteger, nullable=False, comment="reports in one call, at most"),
    Column("failures", Integer, nullable=False, comment="turns in a row in which it did not answer"),
    Column("free_at", Long, nullable=False, comment="until then it is in a node's hands, or rests"),
    UniqueConstraint("account_id", "sender", "kind"),
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Long, primary_key=True, autoincrement=True),
    Column("endpoint_id", Long, nullable=False),
    Column("account_id", Long, nullable=False),
    Column("message_id", Long),
    Column("status", Text, nullable=False),
    Column("at", Long, nullable=False),
    Column("code", Text),
    Column("reason", Text),
    Column("body", Text, comment="whole report, where it is about no message"),
    Column("state", Text, nullable=False, comment="waiting, heard, undeliverable"),
    Column("batch_id", Long, comment="the call that it is told in, kept over all tries"),
    Column("tries", SmallInteger, nullable=False),
    Column("due_at", Long, comment="while it waits: not before"),
    Column("answer", Text, comment="what the endpoint said last"),
)
Index("ix_callbacks_due", callbacks.c.endpoint_id, callbacks.c.due_at, sqlite_where=_due, postgresql_where=_due)
Index("ix_callbacks_message", callbacks.c.message_id)
_dead = text("state = 'undeliverable'")
Index("ix_callbacks_dead", callbacks.c.account_id, callbacks.c.id, sqlite_where=_dead, postgresql_where=_dead)

notes = Table(
    "notes",
    metadata,
    Column("id", Long, primary_key=True, autoincrement=False),
    Column("message_id", Long, nullable=False, index=True),
    Column("account_id", Long, nullable=False),
    Column("at", Long, nullable=False),
    Column("event", Text, nullable=False),
    Column("detail", Text, nullable=False),
    comment="steps that neither an attempt nor a receipt tells: ran out, held, resolved by the policy",
)

nonces = Table(
    "nonces",
    metadata,
    Column("key", LargeBinary, nullable=False),
    _keyed("key"),
    sqlite_with_rowid=False,
    comment="minute of the signed date, then a digest of access key and nonce: old ones are one range",
)

retry_keys = Table(
    "retry_keys",
    metadata,
    Column("account_id", Long, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("message_id", Long, nullable=False),
    Column("created_at", Long, nullable=False, index=True),
    _keyed("account_id", "key"),
    sqlite_with_rowid=False,
)
