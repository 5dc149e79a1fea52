"""Fixtures of the whole suite."""

from __future__ import annotations

from tests.e2e.sandbox import account, sandbox

__all__ = ["account", "sandbox"]
