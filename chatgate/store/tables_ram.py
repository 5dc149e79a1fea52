"""The tables of RAM: users, policies, attachments. Rules as in ``tables``."""

from __future__ import annotations

from sqlalchemy import Column, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from chatgate.store import tables
from chatgate.store.tables import Long

metadata = tables.metadata
"""The whole schema, these tables included."""

ram_users = Table(
    "ram_users",
    metadata,
    Column("id", Long, primary_key=True, autoincrement=False),
    Column("account_id", Long, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", Long, nullable=False),
    UniqueConstraint("account_id", "name"),
)

ram_policies = Table(
    "ram_policies",
    metadata,
    Column("account_id", Long, nullable=False),
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", Long, nullable=False),
    Column("changed_at", Long, nullable=False),
    PrimaryKeyConstraint("account_id", "name"),
    sqlite_with_rowid=False,
)

ram_attachments = Table(
    "ram_attachments",
    metadata,
    Column("account_id", Long, nullable=False),
    Column("user_id", Long, nullable=False),
    Column("policy", Text, nullable=False, comment="a policy of the account, or one of the system"),
    PrimaryKeyConstraint("account_id", "user_id", "policy"),
    sqlite_with_rowid=False,
)
