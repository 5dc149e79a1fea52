"""``apsw`` in the clothes of ``pysqlite3.dbapi2``, as far as SQLAlchemy and chatgate's store wear them.

It opens databases on a simulated disk instead of the machine's, and says up to two things otherwise than it was told:
how many pages make a checkpoint (a life of some milliseconds sees none with the thousands of the real setting), and, so
that a bug can be planted, ``synchronous``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import apsw

from tests.power_cut.disk import Disk

Row = tuple[Any, ...]


class Error(Exception):
    pass


class OperationalError(Error):
    pass


class IntegrityError(Error):
    pass


class Unused(Error):
    """What SQLAlchemy looks for and no error of ``apsw`` becomes."""


class Driver:
    """Stands for the module."""

    paramstyle = "qmark"
    sqlite_version_info = tuple(map(int, apsw.sqlite_lib_version().split(".")))
    sqlite_version = apsw.sqlite_lib_version()
    Error = DatabaseError = Error
    OperationalError = OperationalError
    IntegrityError = IntegrityError
    DataError = NotSupportedError = ProgrammingError = InterfaceError = InternalError = Unused

    def __init__(self, disk: Disk, *, synchronous: str | None, checkpoint: int) -> None:
        self._disk = disk
        self._told = {"wal_autocheckpoint": str(checkpoint)}
        if synchronous is not None:
            self._told["synchronous"] = synchronous

    def connect(self, path: str, **_options: object) -> Connection:
        with _translated():
            return Connection(apsw.Connection(path, vfs=self._disk.name), self._told)


class Connection:
    def __init__(self, database: apsw.Connection, told: dict[str, str]) -> None:
        self._database = database
        self._told = told
        self.isolation_level: str | None = None
        self.cursor().execute("PRAGMA locking_mode = EXCLUSIVE")  # a simulated disk has no shared memory

    def cursor(self) -> Cursor:
        return Cursor(self._database, self._told)

    def commit(self) -> None:
        if self._database.in_transaction:
            self.cursor().execute("COMMIT")

    def rollback(self) -> None:
        if self._database.in_transaction:
            self.cursor().execute("ROLLBACK")

    def close(self) -> None:
        with suppress(apsw.Error):  # without power there is nothing to say
            self._database.close(True)

    def create_function(self, *_: object, **__: object) -> None:
        """SQLAlchemy adds functions that chatgate does not use."""


class Cursor:
    """Reads everything at once."""

    arraysize = 1

    def __init__(self, database: apsw.Connection, told: dict[str, str]) -> None:
        self._database = database
        self._told = told
        self._rows: list[Row] = []
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self.lastrowid = 0

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        self._run(self._rewritten(sql), [tuple(values)])

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._run(sql, [tuple(row) for row in rows])

    def fetchall(self) -> list[Row]:
        rows, self._rows = self._rows, []
        return rows

    def fetchone(self) -> Row | None:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[Row]:
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def close(self) -> None:
        self._rows = []

    def _run(self, sql: str, all_values: list[Row]) -> None:
        def describe(cursor: apsw.Cursor, _sql: str, _values: Any) -> bool:
            columns = cursor.get_description()
            self.description = [(column[0], *[None] * 6) for column in columns] if columns else None
            return True

        cursor, before = self._database.cursor(), self._database.total_changes()
        cursor.exec_trace = describe
        with _translated():
            self._rows = [row for values in all_values for row in cursor.execute(sql, values)]
        changed = self._database.total_changes() - before
        self.rowcount = changed if sql.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE") else -1
        self.lastrowid = self._database.last_insert_rowid()

    def _rewritten(self, sql: str) -> str:
        word, _, name = sql.partition(" ")
        told = self._told.get(name.partition(" ")[0]) if word == "PRAGMA" else None
        return sql if told is None else f"{sql.partition('=')[0]}= {told}"


class _translated:
    """Turns errors into those of the module."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, apsw.ConstraintError):
            raise IntegrityError(str(error)) from error
        if isinstance(error, apsw.Error):
            raise OperationalError(str(error)) from error
