"""Templates for names."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowcli.errors import UsageError
from flowcli.run.names import Named, Template, check_distinct

NAMED = Named(frame=7, frame2=5, gap=-2, stem="img_b", stem2="img_a", index=31)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{frame:05d}_{direction}.npz", "00007_bwd.npz"),
        ("Flows_gap{gap}/{stem}.flo", "Flows_gap-2/img_b.flo"),
        ("{stem}_{stem2}.npy", "img_b_img_a.npy"),
        ("{frame}-{frame2}_{index:04d}.flo", "7-5_0031.flo"),
        ("{gap:+d}/{{x}}.flo", "-2/{x}.flo"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert Template(text).name(NAMED) == Path(name)


@pytest.mark.parametrize(
    "text",
    [
        *("", "/abs/{frame}.flo", "../{frame}.flo", "a/../{frame}.flo", "a/"),
        *("{frame:999d}.flo", "{stem!r}.flo"),
        *("{foo}.flo", "{}.flo", "{0}.flo", "{frame", "{stem.upper}.flo", "{frame:{gap}}.flo"),
    ],
)
def test_wrong_templates(text: str) -> None:
    with pytest.raises(UsageError, match="names"):
        Template(text)


def test_values_that_do_not_fit() -> None:
    with pytest.raises(UsageError, match="names"):
        Template("{stem:d}.flo").name(NAMED)
    with pytest.raises(UsageError, match="too long"):
        Template("{frame:99d}{frame:99d}{frame:99d}.flo").name(NAMED)
    with pytest.raises(UsageError, match="flowcli's own"):
        Template(".flowcli-{frame}.flo").name(NAMED)
    with pytest.raises(UsageError, match="not a path below"):
        Template("{stem}/x.flo").name(Named(0, 1, 1, "..", "b", 0))


def test_two_flows_of_one_name() -> None:
    check_distinct([(Path("a"), "one"), (Path("b"), "two")])
    with pytest.raises(UsageError, match="gives one and two the same name, a;"):
        check_distinct([(Path("a"), "one"), (Path("a"), "two")])
