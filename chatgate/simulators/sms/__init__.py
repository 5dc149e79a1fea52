"""A stand-in for an SMS centre: an SMPP 3.4 server and the phones behind it.

It shares nothing with the gateway but the clock, so that one cannot repeat a mistake of the other.

A submit_sm travels ``session`` ▶ ``centre`` ▶ ``submission`` ▶ ``profiles`` ▶ ``journal``; what the phone then does
travels ``schedule`` ▶ ``centre`` ▶ ``receipts`` ▶ ``session``. ``world`` is all that is known, rebuilt from the journal
at start; ``phone`` joins the parts for the one who looks. ``centre`` is the front door.
"""
