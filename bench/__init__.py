"""The side-by-side measurement: ``.venv/bin/python -m bench`` (Linux; ``--quick`` for a smoke run of some 20 seconds).

What each figure means:

* *empty replies*: the product's own HTTP server answers a constant to the very same request bytes; nothing is read,
  verified or stored. It is what this machine's Python can do at most, so ratios to it carry over to other machines.
* *accept*: ``chatgate serve --role api``; each call is signed, checked, counted against the limit of its account, and
  on disk before it is answered. Closed loop, 64 connections, 128 accounts.
* *whole cycle*: ``chatgate serve`` with a quick partner; a message counts when its receipt ``read`` is committed.
  A bounded number is on its way at any time, so that no backlog grows.
* *latency*: open loop; from the instant at which a call was meant to leave to its whole answer. *Idle*: the gateway
  only accepts; *with cycles*: each call is also sent, delivered and read while the next ones come.

Gateway (and the server of empty replies) have one core, load and partner another, where there are two. A run counts
only if every answer was OK, the database afterwards holds exactly the messages that were answered OK, and (open loop)
the load itself was on time. Only 127.0.0.1 is used.
"""
