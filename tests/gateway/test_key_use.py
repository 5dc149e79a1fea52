"""When keys were last used is written together, and is not lost when it cannot be written."""

from __future__ import annotations

from typing import cast

import pytest

from chatgate.errors import StoreUnavailable
from chatgate.gateway.key_use import KeyUse
from chatgate.store.store import Store


class Book:
    """Stands for the store; ``closed``: it cannot commit."""

    def __init__(self) -> None:
        self.written: list[list[tuple[str, int]]] = []
        self.closed = False

    async def note_key_use(self, used: list[tuple[str, int]]) -> None:
        if self.closed:
            raise StoreUnavailable("full")
        self.written.append(sorted(used))


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def use(book: Book) -> KeyUse:
    return KeyUse(cast(Store, book))


async def test_only_the_last_time_is_written(book: Book, use: KeyUse) -> None:
    for name, now in (("a", 1), ("b", 2), ("a", 3)):
        use.note(name, now)
    await use.write()
    await use.write()
    assert book.written == [[("a", 3), ("b", 2)]]


async def test_what_cannot_be_written_is_kept(book: Book, use: KeyUse) -> None:
    use.note("a", 1)
    use.note("b", 1)
    book.closed = True
    with pytest.raises(StoreUnavailable):
        await use.write()
    use.note("a", 2)
    book.closed = False
    await use.write()
    assert book.written == [[("a", 2), ("b", 1)]]
