"""A stand-in for Rakuten Viber's partner API, version 11.3, as public clients and partners describe it.

It shares nothing with the gateway but the clock, so that one cannot repeat a mistake of the other.

A send travels ``app`` ▶ ``reception`` ▶ ``validation`` ▶ ``profiles`` ▶ ``journal``; what the phone then does travels
``schedule`` ▶ ``events`` ▶ ``callbacks`` ▶ ``sender``. ``world`` is all that is known, rebuilt from the journal at
start. ``partner`` is the front door.
"""
