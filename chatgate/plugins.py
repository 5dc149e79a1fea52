"""The only discovery mechanism: the modules of a folder.

Operations, providers and commands are found by it, each once at start. Adding one is adding a file. (Channels are not:
what ``ChannelType`` may be is a decision of the operation, and SMS is a channel that no call may name.)
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def modules_in(package: ModuleType) -> dict[str, ModuleType]:
    """Import and return the modules and sub-packages of ``package`` by name, except ``base``, the contract."""
    return {
        info.name: importlib.import_module(f"{package.__name__}.{info.name}")
        for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name)
        if info.name != "base"
    }
