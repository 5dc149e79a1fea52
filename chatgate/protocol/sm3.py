"""SM3 (GB/T 32905-2016) and its HMAC, for ``ACS3-HMAC-SM3``.

``hashlib`` has SM3 only where the system's OpenSSL was built with it; the wheels of ``cryptography`` bring their own.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes, hmac


def digest(data: bytes) -> bytes:
    """Return the SM3 hash, 32 bytes."""
    context = hashes.Hash(hashes.SM3())
    context.update(data)
    return context.finalize()


def mac(secret: bytes, data: bytes) -> bytes:
    """Return the HMAC-SM3, 32 bytes."""
    context = hmac.HMAC(secret, hashes.SM3())
    context.update(data)
    return context.finalize()
