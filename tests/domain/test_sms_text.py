from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatgate.domain import sms_text
from chatgate.domain.sms_text import Encoding, encoding_of, segments, septets, split
from chatgate.simulators.sms import alphabet

# 3GPP TS 23.038, 6.2.1 and 6.2.1.1, typed again, in another order than the code has them.
BASIC = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 \n\r"
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà"
)
EXTENSION = "^{}\\[~]|€\f"

gsm_texts = st.text(st.sampled_from(BASIC + EXTENSION), max_size=2000)
any_texts = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("€{\r\n😀✌\ufe0f\U000e0101"), max_size=1000
)


def test_the_alphabet_is_whole() -> None:
    assert len(set(BASIC)) == 127
    written = [septets(character) for character in BASIC]
    assert sorted(written) == [bytes([septet]) for septet in range(128) if septet != 0x1B]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("@", b"\x00"),
        ("Hello", b"Hello"),
        ("Ç", b"\x09"),
        ("\n\r", b"\x0a\x0d"),
        ("Δ_", b"\x10\x11"),
        ("ß", b"\x1e"),
        ("¤", b"\x24"),
        ("¡¿", b"\x40\x60"),
        ("ÄÖÑÜ§", b"\x5b\x5c\x5d\x5e\x5f"),
        ("äöñüà", b"\x7b\x7c\x7d\x7e\x7f"),
        ("€", b"\x1b\x65"),
        ("[]{}", b"\x1b\x3c\x1b\x3e\x1b\x28\x1b\x29"),
        ("^~|\\\f", b"\x1b\x14\x1b\x3d\x1b\x40\x1b\x2f\x1b\x0a"),
    ],
)
def test_characters_have_their_septets(text: str, data: bytes) -> None:
    assert septets(text) == data


@pytest.mark.parametrize("text", ["ç", "`", "\t", "\x1b", "Привіт", "😀", "\x00"])
def test_other_characters_need_ucs2(text: str) -> None:
    assert encoding_of("Hello" + text) is Encoding.UCS2
    with pytest.raises(ValueError, match="not GSM"):
        septets(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 158 + "€", 1),
        ("a" * 159 + "€", 2),
        ("€" * 80, 1),
        ("€" * 152, 2),  # 76 pairs a part: the 153rd septet of each is left free
        ("€" * 153, 3),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),  # 33 pairs a part: the 67th code unit of each is left free
        ("😀" * 67, 3),
        ("a" * 1530, 10),
        ("a" * 1531, 11),
        ("я" * 670, 10),
        ("a" * (153 * 255), 255),
    ],
)
def test_how_many_parts_a_text_is(text: str, parts: int) -> None:
    assert segments(text) == parts
    assert len(split(text)) == parts


def test_more_than_255_parts_cannot_be_sent() -> None:
    text = "a" * (153 * 255 + 1)
    assert segments(text) == 256
    with pytest.raises(ValueError, match="256 parts"):
        split(text)


def test_half_a_surrogate_pair_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        split("a\ud83d")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("a" * 152 + "€" + "b" * 20, "a" * 152),
        ("я" * 66 + "😀" + "b" * 20, "я" * 66),
        ("a" * 152 + "\r\n" + "b" * 20, "a" * 152),
        ("я" * 66 + "✌\ufe0f" + "b" * 20, "я" * 66),
        ("a" * 152 + "\n\r" + "b" * 20, "a" * 152 + "\n"),
    ],
)
def test_where_a_text_is_not_cut(text: str, first: str) -> None:
    assert split(text)[0].text == first


@given(gsm_texts | any_texts)
@example("€" * 200)
@example("😀" * 100)
def test_the_parts_are_the_text(text: str) -> None:
    parts = split(text)
    assert "".join(part.text for part in parts) == text
    assert segments(text) == len(parts)


@given(gsm_texts | any_texts)
@example("€" * 200)
@example("😀" * 100)
def test_every_part_fits_and_can_be_read_by_itself(text: str) -> None:
    """The reader is the simulated phone's, which shares no code with the writer."""
    encoding = encoding_of(text)
    parts = split(text)
    most = encoding.alone if len(parts) == 1 else encoding.together
    octets = 1 if encoding is Encoding.GSM else 2
    coding = 0 if encoding is Encoding.GSM else alphabet.UCS2
    for part in parts:
        assert len(part.data) <= most * octets
        assert alphabet.read(part.data, coding, 0).text == part.text


@given(gsm_texts | any_texts)
def test_no_part_is_empty_or_needlessly_short(text: str) -> None:
    """A part ends only where what follows no longer fits: at most four units (the longest thing that is kept whole)."""
    parts = split(text)
    unit = 1 if encoding_of(text) is Encoding.GSM else 2
    for part in parts[:-1]:
        assert len(part.data) > (encoding_of(text).together - 4) * unit
    assert len(parts) == 1 or parts[-1].data


def test_the_limits_are_those_of_the_standard() -> None:
    assert (Encoding.GSM.alone, Encoding.GSM.together) == (160, 153)
    assert (Encoding.UCS2.alone, Encoding.UCS2.together) == (70, 67)
    assert sms_text.MOST_PARTS == 255
