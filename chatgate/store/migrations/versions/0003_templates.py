"""Templates as the API makes them: what Detail gives back, and their review; what accounts apply for as senders."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for column in (
        sa.Column("partner_ids", sa.Text(), comment="JSON: id by service id, where senders have different ones"),
        sa.Column("message_type", sa.Text(), comment="None: text"),
        sa.Column("parts", sa.Text(), comment="JSON: what it shows beside its text; None: nothing"),
        sa.Column("category", sa.Text()),
        sa.Column("components", sa.Text(), comment="JSON; None: the body alone"),
        sa.Column("example", sa.Text(), comment="JSON: a sample for each variable"),
        sa.Column("message_send_ttl", sa.Integer(), comment="seconds"),
        sa.Column("reason", sa.Text(), comment="of its standing"),
        sa.Column("review_at", LONG, comment="when a delayed review approves it"),
        sa.Column("created_at", LONG),
        sa.Column("updated_at", LONG),
    ):
        op.add_column("templates", column)
    in_review = sa.text("review_at IS NOT NULL")
    op.create_index(
        "ix_templates_review", "templates", ["review_at"], sqlite_where=in_review, postgresql_where=in_review
    )
    op.create_table(
        "reviews",
        sa.Column("id", LONG, autoincrement=True, nullable=False),
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="template or sender"),
        sa.Column("name", sa.Text(), nullable=False, comment="TemplateCode, or the sender"),
        sa.Column("language", sa.Text(), nullable=False, comment="empty: of a sender"),
        sa.Column("standing", sa.Text(), nullable=False, comment="what it was from then on; deleted: nothing"),
        sa.Column("at", LONG, nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        comment="who decided what on a template or a sender, when and why",
    )
    op.create_table(
        "sender_requests",
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("request_no", sa.Text(), nullable=False),
        sa.Column("space_id", sa.Text(), nullable=False),
        sa.Column("request_type", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False, comment="unAudit, pass, fail"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False, comment="JSON: what the account wrote"),
        sa.Column("sender", sa.Text(), comment="which one was granted"),
        sa.Column("service_id", sa.Text()),
        sa.Column("creator", sa.Text(), nullable=False),
        sa.Column("modifier", sa.Text(), nullable=False),
        sa.Column("created_at", LONG, nullable=False),
        sa.Column("changed_at", LONG, nullable=False),
        sa.Column("audited_at", LONG),
        sa.PrimaryKeyConstraint("account_id", "request_no", name=op.f("pk_sender_requests")),
        sqlite_with_rowid=False,
        comment="what accounts apply for: to send by Viber, to which countries, to pause",
    )
    op.create_index("ix_reviews_of", "reviews", ["account_id", "kind", "name", "id"])
