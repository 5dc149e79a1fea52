"""What a legal recipient number is: the digits of an E.164 number, with country code and without plus.

Nothing is normalised. ``+639170000001``, ``00639…`` or a number with spaces is refused, not mended (service codes
``FromOnlyNumeric`` and ``ToOnlyNumeric``): a number that was mended wrongly would reach a stranger. Whether a number is
assigned to anybody is the provider's to say.
"""

from __future__ import annotations

# ITU-T E.164, section 6: at most 15 digits, and no country code begins with 0. The lower bound is our choice: the
# shortest international numbers in use have 7.
SHORTEST = 7
LONGEST = 15


def is_digits(text: str) -> bool:
    """Return whether ``text`` is one or more of the ASCII digits 0 to 9."""
    return text.isascii() and text.isdigit()


def is_number(text: str) -> bool:
    """Return whether ``text`` is a legal recipient: 7 to 15 ASCII digits that do not begin with 0."""
    return SHORTEST <= len(text) <= LONGEST and is_digits(text) and text[0] != "0"
