"""The identifiers that others see, and the keys that they hide.

* A *key* is a 63-bit integer, ordered by time: 41 bits of milliseconds since 2024, 10 bits of node, 12 bits of
  sequence. Rows are inserted in its order, which keeps B-trees small and quick.
* A *MessageId* is 24 hexadecimal digits: the key under a keyed permutation (16 digits) and a keyed check (8 digits).
  It can neither be guessed nor counted, and a made-up one is told from a real one without asking the database.
* A *RequestId* is a random upper-case UUID.
"""

from __future__ import annotations

import random
import threading
from hashlib import blake2b
from typing import NewType

from chatgate.clock import Clock

Key = NewType("Key", int)

EPOCH = 1_704_067_200_000
"""2024-01-01T00:00:00Z, the zero of keys."""
NODES = 1 << 10
_SEQUENCES = 1 << 12
_ROUNDS = 4

_UUID_FIXED = 0x4000_8000_0000_0000_0000
"""Version 4 and the variant of RFC 9562, section 5.4."""
_UUID_FREE = ~0xF000_C000_0000_0000_0000
_LARGEST = (1 << 63) - 1


def request_id() -> str:
    """Return a random UUID (version 4) in upper case; put together by hand, four times as quick as ``uuid``."""
    digits = "%032X" % (random.getrandbits(128) & _UUID_FREE | _UUID_FIXED)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def key_at(instant: int) -> int:
    """Return the smallest key of an instant; for ranges over time."""
    return min(max(instant - EPOCH, 0) << 22, _LARGEST)


def instant_of(key: int) -> int:
    """Return the millisecond in which a key was made."""
    return (key >> 22) + EPOCH


class Keys:
    """Makes keys, rising within this process even when the clock steps back. For any thread."""

    def __init__(self, clock: Clock, node: int) -> None:
        if not 0 <= node < NODES:
            raise ValueError(f"node must be 0 to {NODES - 1}")
        self._clock = clock
        self._node = node << 12
        self._moment = 0
        self._sequence = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        with self._lock:
            moment = self._clock.now() - EPOCH
            if moment > self._moment:
                self._moment, self._sequence = moment, 0
            else:
                self._sequence += 1
                if self._sequence == _SEQUENCES:  # more than 4 million a second: borrow from the next millisecond
                    self._moment, self._sequence = self._moment + 1, 0
            return self._moment << 22 | self._node | self._sequence


class MessageIds:
    """Key to public MessageId and back, under the secret of this installation."""

    def __init__(self, secret: bytes) -> None:
        """``secret``: 16 to 64 bytes, kept in the database and the same on all nodes."""
        keys = [blake2b(secret, digest_size=32, person=b"round%d" % i).digest() for i in range(_ROUNDS)]
        self._rounds = [blake2b(digest_size=4, key=key) for key in keys]  # copied for each use
        self._check = blake2b(secret, digest_size=32, person=b"check").digest()

    def public(self, key: int) -> str:
        left, right = key >> 32, key & 0xFFFFFFFF
        for keyed in self._rounds:
            left, right = right, left ^ _mixed(keyed, right)
        body = (left << 32 | right).to_bytes(8, "big")
        return (body + blake2b(body, digest_size=4, key=self._check).digest()).hex()

    def key(self, public: str) -> int | None:
        """Return the key behind a MessageId, or None when it is none of ours."""
        if len(public) != 24:
            return None
        try:
            raw = bytes.fromhex(public)
        except ValueError:
            return None
        body, check = raw[:8], raw[8:]
        if len(raw) != 12 or blake2b(body, digest_size=4, key=self._check).digest() != check:
            return None
        both = int.from_bytes(body, "big")
        left, right = both >> 32, both & 0xFFFFFFFF
        for keyed in reversed(self._rounds):
            left, right = right ^ _mixed(keyed, left), left
        key = left << 32 | right
        return key if key <= _LARGEST else None


def _mixed(keyed: blake2b, half: int) -> int:
    state = keyed.copy()
    state.update(half.to_bytes(4, "big"))
    return int.from_bytes(state.digest(), "big")
