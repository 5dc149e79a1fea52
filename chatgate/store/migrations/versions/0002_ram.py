"""RAM: users, policies, attachments; keys have an owner, a last use and a deletion."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "access_keys", sa.Column("user_id", LONG, nullable=True, comment="whose it is; None: the account's own")
    )
    op.add_column("access_keys", sa.Column("last_used_at", LONG, nullable=True, comment="written some time later"))
    op.add_column(
        "access_keys",
        sa.Column(
            "deleted_at", LONG, nullable=True,
            comment="its secret is gone; the row stays, so that every node hears of it",
        ),
    )  # fmt: skip
    op.create_table(
        "ram_users",
        sa.Column("id", LONG, autoincrement=False, nullable=False),
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", LONG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ram_users")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_ram_users_account_id")),
    )
    op.create_table(
        "ram_policies",
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", LONG, nullable=False),
        sa.Column("changed_at", LONG, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "name", name=op.f("pk_ram_policies")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ram_attachments",
        sa.Column("account_id", LONG, nullable=False),
        sa.Column("user_id", LONG, nullable=False),
        sa.Column("policy", sa.Text(), nullable=False, comment="a policy of the account, or one of the system"),
        sa.PrimaryKeyConstraint("account_id", "user_id", "policy", name=op.f("pk_ram_attachments")),
        sqlite_with_rowid=False,
    )
