"""The first schema: accounts and what is theirs, messages with attempts, receipts and tokens, fallbacks, callbacks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "access_keys",
        sa.Column("access_key_id", sa.Text(), nullable=False),
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", LONG, nullable=False),
        sa.Column("changed_at", LONG, nullable=False),
        sa.PrimaryKeyConstraint("access_key_id", name=op.f("pk_access_keys")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_access_keys_account_id"), "access_keys", ["account_id"], unique=False)
    op.create_index(op.f("ix_access_keys_changed_at"), "access_keys", ["changed_at"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("id", LONG, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subscribed", sa.Boolean(), nullable=False),
        sa.Column("calls_per_second", sa.Integer(), nullable=True),
        sa.Column("callback_secret", sa.LargeBinary(), nullable=True, comment="sealed; made with the first endpoint"),
        sa.Column("created_at", LONG, nullable=False),
        sa.Column("changed_at", LONG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
    )
    op.create_index(op.f("ix_accounts_changed_at"), "accounts", ["changed_at"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("message_id", LONG, nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("started_at", LONG, nullable=False),
        sa.Column("ended_at", LONG, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "number", name=op.f("pk_attempts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blocks",
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("service_id", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("at", LONG, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "service_id", "recipient", name=op.f("pk_blocks")),
        comment="who unsubscribed from a sender and has not subscribed again",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "callbacks",
        sa.Column("id", LONG, autoincrement=True, nullable=False),
        sa.Column("endpoint_id", LONG, nullable=False),
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("message_id", LONG, nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", LONG, nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True, comment="whole report, where it is about no message"),
        sa.Column("state", sa.Text(), nullable=False, comment="waiting, heard, undeliverable"),
        sa.Column("batch_id", LONG, nullable=True, comment="the call that it is told in, kept over all tries"),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", LONG, nullable=True, comment="while it waits: not before"),
        sa.Column("answer", sa.Text(), nullable=True, comment="what the endpoint said last"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
    )
    op.create_index(
        "ix_callbacks_dead",
        "callbacks",
        ["account_id", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'undeliverable'"),
        postgresql_where=sa.text("state = 'undeliverable'"),
    )
    op.create_index(
        "ix_callbacks_due",
        "callbacks",
        ["endpoint_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_callbacks_message", "callbacks", ["message_id"], unique=False)
    op.create_table(
        "endpoints",
        sa.Column("id", LONG, autoincrement=False, nullable=False),
        sa.Column("account_id", LONG, nullable=False),
        sa.Column(
            "sender",
            sa.Text(),
            nullable=False,
            comment="From whose news it hears; empty: all senders without an own one",
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="status or inbound"),
        sa.Column("url", sa.Text(), nullable=True, comment="None: taken away"),
        sa.Column("batch", sa.SmallInteger(), nullable=False, comment="reports in one call, at most"),
        sa.Column("failures", sa.Integer(), nullable=False, comment="turns in a row in which it did not answer"),
        sa.Column("free_at", LONG, nullable=False, comment="until then it is in a node's hands, or rests"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoints")),
        sa.UniqueConstraint("account_id", "sender", "kind", name=op.f("uq_endpoints_account_id")),
    )
    op.create_table(
        "fallback_policies",
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("policy_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sms_sender", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "policy_id", name=op.f("pk_fallback_policies")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "installation",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation")),
        comment="what belongs to this database as a whole: the secret behind MessageIds, the canary of the key ring",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "messages",
        sa.Column("id", LONG, autoincrement=False, nullable=False),
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("space_id", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False, comment="the provider that is to carry it (domain.routing)"),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("losses", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", LONG, nullable=True),
        sa.Column("accepted_at", LONG, nullable=False),
        sa.Column("expires_at", LONG, nullable=False),
        sa.Column("status_at", LONG, nullable=False),
        sa.Column(
            "sender",
            sa.Text(),
            nullable=False,
            comment="From of the call; of an SMS its parent's: whose endpoint hears of it",
        ),
        sa.Column("service_id", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("template_code", sa.Text(), nullable=True),
        sa.Column("parent_id", LONG, nullable=True),
        sa.Column("fallback_state", sa.Text(), nullable=True),
        sa.Column("fallback_at", LONG, nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index("ix_messages_account", "messages", ["account_id", "id"], unique=False)
    op.create_index(
        "ix_messages_history",
        "messages",
        ["account_id", "sender", "space_id", "id", "recipient"],
        unique=False,
        sqlite_where=sa.text("parent_id IS NULL"),
        postgresql_where=sa.text("parent_id IS NULL"),
    )
    op.create_index(
        "ix_messages_due",
        "messages",
        ["lane", "due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_messages_fallback",
        "messages",
        ["fallback_at"],
        unique=False,
        sqlite_where=sa.text("fallback_state = 'armed' AND fallback_at IS NOT NULL"),
        postgresql_where=sa.text("fallback_state = 'armed' AND fallback_at IS NOT NULL"),
    )
    op.create_index(
        "ix_messages_held",
        "messages",
        ["account_id", "id"],
        unique=False,
        sqlite_where=sa.text("fallback_state = 'held'"),
        postgresql_where=sa.text("fallback_state = 'held'"),
    )
    op.create_index(
        "ix_messages_parent",
        "messages",
        ["parent_id"],
        unique=False,
        sqlite_where=sa.text("parent_id IS NOT NULL"),
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    op.create_index(
        "ix_messages_unknown",
        "messages",
        ["recipient"],
        unique=False,
        sqlite_where=sa.text("status = 'unknown'"),
        postgresql_where=sa.text("status = 'unknown'"),
    )
    op.create_table(
        "nodes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("started_at", LONG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nodes")),
        comment="one row a process start; its number keeps the keys of two processes apart",
    )
    op.create_table(
        "nonces",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_nonces")),
        comment="minute of the signed date, then a digest of access key and nonce: old ones are one range",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notes",
        sa.Column("id", LONG, autoincrement=False, nullable=False),
        sa.Column("message_id", LONG, nullable=False),
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("at", LONG, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
        comment="steps that neither an attempt nor a receipt tells: ran out, held, resolved by the policy",
    )
    op.create_index(op.f("ix_notes_message_id"), "notes", ["message_id"], unique=False)
    op.create_table(
        "receipts",
        sa.Column("id", LONG, autoincrement=False, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", LONG, nullable=False),
        sa.Column("received_at", LONG, nullable=False),
        sa.Column("service_id", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message_id", LONG, nullable=True),
        sa.Column("account_id", LONG, nullable=True),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
    )
    op.create_index(
        "ix_receipts_message",
        "receipts",
        ["message_id"],
        unique=False,
        sqlite_where=sa.text("message_id IS NOT NULL"),
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.create_index(
        "ix_receipts_parked",
        "receipts",
        ["token"],
        unique=False,
        sqlite_where=sa.text("effect = 'parked'"),
        postgresql_where=sa.text("effect = 'parked'"),
    )
    op.create_index(
        "ix_receipts_parked_phone",
        "receipts",
        ["recipient"],
        unique=False,
        sqlite_where=sa.text("effect = 'parked'"),
        postgresql_where=sa.text("effect = 'parked'"),
    )
    op.create_table(
        "replies",
        sa.Column("id", LONG, autoincrement=False, nullable=False),
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False, comment="the phone that wrote"),
        sa.Column("at", LONG, nullable=False),
        sa.Column("received_at", LONG, nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replies")),
    )
    op.create_index("ix_replies_account", "replies", ["account_id", "id"], unique=False)
    op.create_table(
        "retry_keys",
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", LONG, nullable=False),
        sa.Column("created_at", LONG, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_retry_keys")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_retry_keys_created_at"), "retry_keys", ["created_at"], unique=False)
    op.create_table(
        "senders",
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("service_id", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "channel", "sender", name=op.f("pk_senders")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_senders_service", "senders", ["service_id"], unique=False)
    op.create_table(
        "spaces",
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("space_id", sa.Text(), nullable=False),
        sa.Column("retry_by_task", sa.Boolean(), nullable=False),
        sa.Column("video_button_action", sa.Boolean(), nullable=False),
        sa.Column("clamp_ttl", sa.Boolean(), nullable=False),
        sa.Column("sms_consent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "space_id", name=op.f("pk_spaces")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "templates",
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("template_code", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "template_code", "language", name=op.f("pk_templates")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tokens",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("message_id", LONG, nullable=False),
        sa.Column("account_id", LONG, nullable=False),
        sa.PrimaryKeyConstraint("provider", "token", name=op.f("pk_tokens")),
        comment="what a provider's receipts call a message; kept as long as the message",
        sqlite_with_rowid=False,
    )
