"""Messages know the mass sending that they belong to."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    comment = "the mass sending that it belongs to; of an SMS its parent's"
    op.add_column("messages", sa.Column("group_id", LONG, nullable=True, comment=comment))
    grouped = sa.text("group_id IS NOT NULL")
    op.create_index(
        "ix_messages_group", "messages", ["group_id", "account_id", "id"], unique=False, sqlite_where=grouped,
        postgresql_where=grouped,
    )  # fmt: skip
