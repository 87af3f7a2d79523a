"""Limits that keep damaged or malicious input from filling the memory; light, so that option defaults can name them."""

MAX_PIXELS = 1 << 27
"""Frames of more pixels than this (four of 8K) are refused unless a higher limit is given."""

MAX_SIDE = 1 << 17
"""Flow files that claim to be higher or wider than this are taken to be damaged."""

LARGEST_DEFLATE_RATIO = 1032
"""A deflate stream unpacks to at most this many times its length (zlib's manual); who claims more is damaged."""
