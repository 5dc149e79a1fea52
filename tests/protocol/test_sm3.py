from chatgate.protocol import sm3


def test_digest_is_the_example_of_the_standard() -> None:
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3.digest(b"abc").hex() == expected  # GB/T 32905-2016, A.1


def test_mac_is_hmac_over_that_digest() -> None:
    key = b"secret".ljust(64, b"\0")
    inner = sm3.digest(bytes(byte ^ 0x36 for byte in key) + b"text")
    assert sm3.mac(b"secret", b"text") == sm3.digest(bytes(byte ^ 0x5C for byte in key) + inner)
