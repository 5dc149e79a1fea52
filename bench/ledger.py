"""What the database says after a run: the load's own count is believed only if this agrees."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from pysqlite3 import dbapi2  # type: ignore[import-untyped]


class Ledger:
    """Reads the database of a data folder."""

    def __init__(self, data: Path) -> None:
        self._address = f"file:{data / 'chatgate.db'}?mode=ro"

    def messages(self, status: str | None = None) -> int:
        """Return how many messages there are, or how many have a status."""
        return self._count("SELECT count(*) FROM messages WHERE ?1 IS NULL OR status = ?1", status)

    def read_between(self, began: int, ended: int) -> int:
        """Return how many messages became ``read`` between two instants, by the gateway's clock."""
        sql = (
            "SELECT count(*) FROM receipts WHERE status = 'read' AND effect = 'applied' "
            "AND received_at >= ?1 AND received_at < ?2"
        )
        return self._count(sql, began, ended)

    def _count(self, sql: str, *values: object) -> int:
        with closing(dbapi2.connect(self._address, uri=True)) as connection:
            return int(connection.execute(sql, values).fetchone()[0])
