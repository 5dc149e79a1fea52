"""Spaces know when they were made by their owner, and what the owner wrote down about them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("spaces", sa.Column("made_at", LONG, nullable=True, comment="None: by the operator"))
    comment = "what its owner wrote down about it: a JSON object"
    op.add_column("spaces", sa.Column("details", sa.Text(), nullable=True, comment=comment))
