from string import ascii_letters
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.errors import ApiError
from chatgate.protocol import canonical

no_nul = st.text(st.characters(exclude_characters="\0", codec="utf-8"))


@given(st.text(st.characters(codec="utf-8")))
def test_encode_is_rfc_3986(text: str) -> None:
    assert canonical.encode(text) == quote(text, safe="")


@given(no_nul)
def test_decode_undoes_every_encoder(text: str) -> None:
    for wire in (quote(text, safe=""), quote(text, safe="/:!*'()"), canonical.encode(text), urlencode({"": text})[1:]):
        assert canonical.decode(wire) == text


@given(st.text(st.sampled_from("aZ09-_.~+*\\/&=x")))
def test_decode_agrees_with_urllib_on_plain_text(wire: str) -> None:
    assert canonical.decode(wire) == unquote_plus(wire)


@given(st.lists(st.tuples(no_nul, no_nul), max_size=20))
def test_pairs_agree_with_urllib(pairs: list[tuple[str, str]]) -> None:
    wire = urlencode(pairs)
    assert canonical.pairs(wire) == parse_qsl(wire, keep_blank_values=True, strict_parsing=False) == pairs


@given(st.lists(st.tuples(no_nul, no_nul), max_size=20))
def test_query_encodes_names_and_values(pairs: list[tuple[str, str]]) -> None:
    expected = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    assert canonical.query(pairs) == expected
    assert canonical.encode_again(expected) == quote(expected, safe="")


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ("", ""),
        ("a+b", "a b"),
        ("a%2Bb", "a+b"),
        ("a%20b", "a b"),
        ("%2525", "%25"),
        ("%c3%a9", "é"),
        ("\\x41", "\\x41"),
        ("%5Cu0041", "\\u0041"),
        ("\\%41\\", "\\A\\"),
        ("\xc3\xa9", "é"),  # raw UTF-8 bytes, as curl sends them in a form
        ("\xc3%A9", "é"),
    ],
)
def test_decode(wire: str, text: str) -> None:
    assert canonical.decode(wire) == text


@pytest.mark.parametrize("wire", ["%", "%2", "%zz", "a%", "%FF", "%C3", "%ED%A0%80", "%C0%80", "\xff", "%u0041", "й"])
def test_decode_refuses(wire: str) -> None:
    with pytest.raises(ApiError) as refusal:
        canonical.decode(wire)
    assert refusal.value.code == "InvalidRequest"


def test_pairs_keep_blanks_and_names_without_a_value() -> None:
    assert canonical.pairs("a=&b&&=c&d=e=f&") == [("a", ""), ("b", ""), ("", "c"), ("d", "e=f")]


@pytest.mark.parametrize("wire", ["a=%00", "%00=a", "a=\0", "&".join(["a=1"] * 1001)])
def test_pairs_refuse(wire: str) -> None:
    with pytest.raises(ApiError) as refusal:
        canonical.pairs(wire)
    assert refusal.value.code == "InvalidRequest"


@pytest.mark.parametrize(
    ("wire", "pairs"),
    [
        ("a=%26%3D&b=%2526", [("a", "&="), ("b", "%26")]),  # what is escaped divides nothing
        ("a=b=c&d", [("a", "b=c"), ("d", "")]),  # as many "=" as parts, but not one in each
        ("a+=+&%20=%3D", [("a ", " "), (" ", "=")]),
        ("=&=", [("", ""), ("", "")]),
        ("a\\=\\x41", [("a\\", "\\x41")]),
    ],
)
def test_pairs(wire: str, pairs: list[tuple[str, str]]) -> None:
    assert canonical.pairs(wire) == pairs


MANY = "&".join(f"{a}{b}=" for a in ascii_letters for b in ascii_letters)
"""More parameters than there may be, each once."""

pieces = st.sampled_from(
    ["a", "Z", "9", "-", "_", ".", "~", "%20", "%2F", "%C3%A9", "%41", "%2f", "+", "é", "/", "%", "%3D", "="]
)
written = st.lists(pieces, max_size=4).map("".join)


@given(st.dictionaries(st.text(st.sampled_from("aBz"), min_size=1, max_size=3) | written, written, max_size=5))
def test_in_order_is_the_canonical_query_or_nothing(parts: dict[str, str]) -> None:
    wire = "&".join(f"{name}={value}" for name, value in parts.items())
    if canonical.is_plain(wire) and (in_order := canonical.in_order(wire)) is not None:
        assert in_order == canonical.query(sorted(canonical.pairs(wire)))


@given(st.dictionaries(st.text(st.sampled_from("aBzT"), min_size=1, max_size=3), no_nul, min_size=1, max_size=9))
def test_in_order_takes_what_sdks_write(params: dict[str, str]) -> None:
    wire = "&".join(f"{name}={quote(value, safe='')}" for name, value in params.items())
    assert canonical.is_plain(wire)
    assert canonical.in_order(wire) == canonical.query(sorted(params.items()))
    assert canonical.mapping(wire) == params


@pytest.mark.parametrize(
    "wire", ["", "a", "a&b=1", "a=1=2", "a.1=2", "a=+", "a=é", "=1", f"{'a' * 257}=1", "a=1&", "&a=1"]
)
def test_not_plain(wire: str) -> None:
    assert not canonical.is_plain(wire)


@pytest.mark.parametrize("wire", ["a=%2f", "a=%41", "a=%7E", "a=%2"])
def test_in_order_leaves_to_others(wire: str) -> None:
    assert canonical.is_plain(wire)
    assert canonical.in_order(wire) is None


@pytest.mark.parametrize("wire", ["a=1&a=2", "a=1&b=2&a=1", "a=%00", MANY])
def test_mapping_leaves_to_others(wire: str) -> None:
    assert canonical.mapping(wire) is None


@given(st.dictionaries(st.text(st.sampled_from("aBz"), min_size=1, max_size=3), written, max_size=5))
def test_mapping_agrees_with_pairs(parts: dict[str, str]) -> None:
    wire = "&".join(f"{name}={value}" for name, value in parts.items())
    if not canonical.is_plain(wire):
        return
    try:
        pairs = canonical.pairs(wire)
    except ApiError:
        with pytest.raises(ApiError):
            canonical.mapping(wire)
    else:
        assert canonical.mapping(wire) == dict(pairs)
