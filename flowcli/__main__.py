"""``python -m flowcli``."""

from .cli import main

main()
