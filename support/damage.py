"""Files that are nearly right."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

SIZES = st.sampled_from([0, 1, 2, 255, 65_535, 100_000, 131_072, 2**31 - 1, 2**31, 2**32 - 1])
"""Numbers that headers lie with."""


def edits(whole: bytes) -> st.SearchStrategy[bytes]:
    """A file with bytes changed, numbers replaced, ends cut off or added."""

    def change(changes: list[tuple[int, int]], numbers: list[tuple[int, int, str]], end: int, more: bytes) -> bytes:
        data = bytearray(whole)
        for position, value in changes:
            data[position % len(data)] = value
        for position, number, order in numbers:
            at = position % max(1, len(data) - 4)
            data[at : at + 4] = struct.pack(f"{order}I", number)
        return bytes(data[: len(data) - end]) + more

    near_the_start = st.integers(0, 200) | st.integers(0, len(whole))
    return st.builds(
        change,
        st.lists(st.tuples(near_the_start, st.integers(0, 255)), max_size=4),
        st.lists(st.tuples(near_the_start, SIZES, st.sampled_from("<>")), max_size=3),
        st.sampled_from([0, 0, 0, 1, 7, 100]),
        st.sampled_from([b"", b"", b"x", bytes(50)]),
    )
