"""Alembic's entry: runs migrations on the connection and in the transaction that ``store.migration`` hands over."""

from alembic import context

from chatgate.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
