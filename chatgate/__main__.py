"""``python -m chatgate`` is ``chatgate``."""

from chatgate.cli.main import main

main()
