from __future__ import annotations

import os
import threading

import pytest

from flowcli.frames.chatter import silenced


def test_only_this_thread_and_only_chatter_is_silenced(capfd: pytest.CaptureFixture[str]) -> None:
    with silenced(lambda line: line.startswith(b"chatter")) as lines:
        print("dropped")
        os.write(2, b"chatter 1\nprogress\nchatter 2\n")
        other = threading.Thread(target=print, args=("kept",))
        other.start()
        other.join()
    assert lines == ["chatter 1\n", "chatter 2\n"]
    print("after")
    assert capfd.readouterr() == ("kept\nafter\n", "progress\n")
