"""Reads frames: image files, sequences of them, and videos."""

import logging

logging.getLogger("flowcli").addHandler(logging.NullHandler())  # without a handler Python would print every remark
