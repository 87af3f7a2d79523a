"""Limits that keep damaged or malicious input from exhausting memory; cheap to import, for use in option defaults."""

MAX_PIXELS = 1 << 27
"""Frames with more pixels than this (about four 8K frames) are refused unless a higher limit is given."""

MAX_SIDE = 1 << 17
"""Flow files whose header claims more pixels than this in height or width are treated as damaged."""

LARGEST_DEFLATE_RATIO = 1032
"""The highest compression ratio of a deflate stream (zlib's manual); a file that claims more is damaged."""

LARGEST_RATIO = 20_000
"""The highest compression ratio that is believed of other codecs; OpenEXR's HTJ2K packs black 16400 to one."""
