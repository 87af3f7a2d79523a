from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from flowcli.errors import InputError
from flowcli.frames.images import write_image
from flowcli.run.batch_outputs import BatchOutputs
from flowcli.run.consistency import Consistency
from flowcli.run.distinct import Distinct
from flowcli.run.folder_tasks import folder_tasks
from flowcli.run.items import open_tasks
from flowcli.run.manifest import Manifest
from flowcli.run.tasks import Item, Task, VideoTask
from support.videos import moving_frames


def pairs_of(items: Iterable[Item]) -> list[Task]:
    listed = list(items)
    pairs = [item for item in listed if isinstance(item, Task)]
    assert len(pairs) == len(listed)
    return pairs


def read(text: str, folder: Path = Path("/data"), suffix: str = ".flo") -> list[Task]:
    return pairs_of(Manifest(text.splitlines(keepends=True), "pairs", folder, suffix).tasks())


def files_below(folder: Path) -> Callable[[Item], list[Path]]:
    return lambda item: [] if item.out is None else [folder / item.out]


def outs(items: Iterable[Item]) -> list[str]:
    items = list(items)
    assert are_good(items) == [True] * len(items)
    return [str(item.out) for item in items]


def are_good(items: Iterable[Item]) -> list[bool]:
    return [item.error is None for item in items]


@pytest.mark.parametrize(
    "text",
    [
        "frame1,frame2,out\na.png,b.png,x/1.flo\nb.png,c.png,x/2.npy\n",
        "a.png,b.png,x/1.flo\nb.png,c.png,x/2.npy",
        "\ufeffout,frame2,frame1,comment\r\nx/1.flo,b.png,a.png,good\r\n\r\nx/2.npy,c.png,b.png,\r\n",
        '{"frame1": "a.png", "frame2": "b.png", "out": "x/1.flo"}\n\n'
        '{"out": "x/2.npy", "frame2": "c.png", "frame1": "b.png", "more": 1}\n',
    ],
)
def test_csv_and_json_lines(text: str) -> None:
    first, second = read(text)
    assert (first.frame1, first.frame2, first.out) == (Path("/data/a.png"), Path("/data/b.png"), Path("x/1.flo"))
    assert (second.frame1, second.frame2, second.out) == (Path("/data/b.png"), Path("/data/c.png"), Path("x/2.npy"))


@pytest.mark.parametrize(
    "text",
    [
        "frame1;frame2;out\na.png;b.png;x/1.flo\nb.png;c.png;x/2.npy\n",
        "a.png;b.png;x/1.flo\r\nb.png;c.png;x/2.npy\r\n",
        "frame1\tframe2\tout\na.png\tb.png\tx/1.flo\nb.png\tc.png\tx/2.npy\n",
        "sep=;\nframe1;frame2;out\na.png;b.png;x/1.flo\nb.png;c.png;x/2.npy\n",
        '"sep=|"\r\nframe1|frame2|out\r\na.png|b.png|x/1.flo\r\nb.png|c.png|x/2.npy\r\n',
        "# made by a script\n#\nframe1,frame2,out\na.png,b.png,x/1.flo\nb.png,c.png,x/2.npy\n\x1a",
        "a.png,b.png,x/1.flo\nb.png,c.png,x/2.npy\x1a",
        '{"frame1": "a.png", "frame2": "b.png", "out": "x/1.flo"}\n'
        '{"out": "x/2.npy", "frame2": "c.png", "frame1": "b.png"}\x1a',
    ],
)
def test_as_people_save_them(text: str, tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"):
        path = tmp_path / f"pairs-{encoding}"
        bom = {"utf-16-le-bom": b"\xff\xfe", "utf-16-be-bom": b"\xfe\xff"}.get(encoding, b"")
        path.write_bytes(bom + text.encode(encoding.removesuffix("-bom")))
        with open_tasks(str(path), "flo", tmp_path / "out") as tasks:
            first, second = pairs_of(tasks)
        assert (first.frame1, first.frame2, first.out) == (tmp_path / "a.png", tmp_path / "b.png", Path("x/1.flo"))
        assert (second.frame1, second.out) == (tmp_path / "b.png", Path("x/2.npy"))


def test_delimiters_within_names_stay() -> None:
    assert outs(read('"a;1.png",b.png,x\n')) == ["x.flo"]
    first = read("a;1.png,b.png\n")[0]
    assert first.frame1 == Path("/data/a;1.png")


def test_a_row_that_begins_with_a_hash_is_a_row() -> None:
    assert [task.frame1 for task in read("#1.png,#2.png\n#2.png,#3.png\n")] == [
        Path("/data/#1.png"),
        Path("/data/#2.png"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "video\n# one\na.mp4\n#\nb.mp4\n## two\n",
        "# of clips\na.mp4\n# and, later\nb.mp4\n",
        "a.mp4\n#\tmore\nb.mp4\n",
        "\ufeff# of clips\nvideo,stride\na.mp4,1\n# more,2\nb.mp4,2\n",
        '# of clips\n{"video": "a.mp4"}\n# more\n{"video": "b.mp4"}\n',
    ],
)
def test_remarks_are_no_items(text: str) -> None:
    items = list(Manifest(text.splitlines(keepends=True), "videos", Path("/data"), ".flo").tasks())
    assert [item.video for item in items if isinstance(item, VideoTask)] == [Path("/data/a.mp4"), Path("/data/b.mp4")]
    assert are_good(items) == [True, True]


def test_remarks_among_pairs() -> None:
    assert outs(read("frame1,frame2,out\n# another\na.png,b.png,1\n# no, not\nb.png,c.png,2\n")) == ["1.flo", "2.flo"]
    assert outs(read("a.png,b.png,1\n# another\nb.png,c.png,2\n")) == ["1.flo", "2.flo"]


def test_a_file_whose_name_looks_like_a_remark(tmp_path: Path) -> None:
    for name in ("# 1.mp4", "b.mp4"):
        (tmp_path / name).touch()
    items = list(Manifest(["# 1.mp4\n", "# 2.mp4\n", "b.mp4\n"], "videos", tmp_path, ".flo").tasks())
    assert [item.video for item in items if isinstance(item, VideoTask)] == [tmp_path / "# 1.mp4", tmp_path / "b.mp4"]


def test_faults_of_a_video_name_columns() -> None:
    items = list(Manifest(["video,start,end\n", "a.mp4,5,5\n"], "videos", Path("/data"), ".flo").tasks())
    assert items[0].error is not None
    assert items[0].error.with_flags() == "videos, line 2: end must come after start"


@pytest.mark.parametrize(("there", "written"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_accents_as_another_system_writes_them(tmp_path: Path, there: str, written: str) -> None:
    name = "Größe é 動画.png"
    (tmp_path / unicodedata.normalize(there, name)).touch()  # type: ignore[arg-type]
    task = read(f"{unicodedata.normalize(written, name)},b.png\n", tmp_path)[0]  # type: ignore[arg-type]
    assert task.frame1 is not None
    assert task.frame1.exists()


def test_utf_16_that_breaks_off(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes("frame1,frame2\na,b\n".encode("utf-16")[:-1])
    with pytest.raises(InputError, match="save it as UTF-8"), open_tasks(str(tmp_path / "m.csv"), "flo", tmp_path):
        pass


def test_names_with_commas_quotes_spaces_and_letters_of_any_script() -> None:
    item = read('"a, ""b"".png",Bild ä 2.png,動画/1\n')[0]
    assert item.frame1 is not None
    assert item.frame2 is not None
    assert (item.frame1.name, item.frame2.name, str(item.out)) == ('a, "b".png', "Bild ä 2.png", "動画/1.flo")


def test_outputs_are_named_after_the_first_frame() -> None:
    text = "s1/a.png,s1/b.png\n/abs/a.png,b.png\n../up/a.b.jpg,b.png\n"
    assert outs(read(text)) == ["s1/a.flo", "abs/a.flo", "up/a.b.flo"]
    assert outs(read("a.png,b.png,x\na.png,b.png,frame.0001\n", suffix=".pfm")) == ["x.pfm", "frame.0001.pfm"]


def test_paths_are_looked_for_beside_the_manifest_and_then_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lists").mkdir()
    for name in ("lists/both.png", "both.png", "here.png"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    first, second = read("both.png,here.png\nmissing.png,both.png\n", tmp_path / "lists")
    assert (first.frame1, first.frame2) == (tmp_path / "lists" / "both.png", Path("here.png"))
    assert second.frame1 == tmp_path / "lists" / "missing.png"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("only.png", "line 2: it must give frame1 and frame2"),
        ("a.png,,x.flo", "it must give frame1 and frame2"),
        ("a.png,b.png,../x.flo", "is outside the output folder"),
        ("a.png,b.png,/x.flo", "is outside the output folder"),
        ("a.png,b.png,.", "is not a file name"),
        ("a.png,b.png,x.xyz", r"unknown format \.xyz"),
        ('"a.png,b.png', "neither a JSON object nor CSV"),
        ("a\0.png,b.png", "a path contains invalid characters"),
    ],
)
def test_a_faulty_line_does_not_stop_the_others(line: str, message: str) -> None:
    items = read(f"a.png,b.png,1.flo\n{line}\nb.png,c.png,2.flo\n")
    assert are_good(items) == [True, False, True]
    assert re.search(message, str(items[1].error))


@pytest.mark.parametrize("line", ["{", '{"frame1": "a.png"}', "[1]", '{"frame1": 1, "frame2": 2}', "null", "[" * 9999])
def test_faulty_json(line: str) -> None:
    good = json.dumps({"frame1": "a.png", "frame2": "b.png"})
    assert are_good(read(f"{good}\n{line}\n")) == [True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "contains no pairs"),
        ("\n \n", "contains no pairs"),
        ("[\n", "JSON array"),
        ("frame1,frame2\n", "no pairs, only column names; write frame1,frame2 on each line"),
        ("video,out\n# none yet\n", "no videos, only column names; write a video on each line"),
        ("# nothing yet\n", "contains no pairs or videos"),
        ("hello\n", "not a manifest; each line must give two frames or, .* a video"),
    ],
)
def test_what_is_no_manifest(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(text)


def test_an_output_is_written_once() -> None:
    tasks = read("a.png,b.png,x.flo\nb.png,c.png,y.flo\nc.png,d.png,x.flo\n")
    items = list(Distinct(tasks, files_below(Path("out"))))
    assert are_good(items) == [True, True, False]
    assert "pairs, line 3: x.flo is also the output of pairs, line 1" in str(items[2].error)


def test_folders_give_consecutive_frames_in_natural_order(tmp_path: Path) -> None:
    image = moving_frames(1, 16, 16)[0]
    for name in ("f_10.png", "f_9.png", "s/b/2.jpg", "s/b/10.jpg", "s/b/1.jpg", "t/1.png", "out/1.png", "out/2.png"):
        write_image(tmp_path / name, image)
    (tmp_path / "s" / "notes.txt").touch()
    (tmp_path / "s" / ".hidden.png").touch()
    (tmp_path / "link").symlink_to(tmp_path / "s")
    (tmp_path / "s" / "loop").symlink_to(tmp_path)
    items = pairs_of(folder_tasks(tmp_path, ".flo", exclude=tmp_path / "out"))
    pairs = [
        (item.frame1.relative_to(tmp_path), item.frame2.name, item.out) for item in items if item.frame1 and item.frame2
    ]
    assert pairs == [
        (Path("f_9.png"), "f_10.png", Path("f_9.flo")),
        (Path("link/b/1.jpg"), "2.jpg", Path("link/b/1.flo")),
        (Path("link/b/2.jpg"), "10.jpg", Path("link/b/2.flo")),
    ]


def test_frames_that_share_a_stem_keep_their_suffixes(tmp_path: Path) -> None:
    for name in ("1.png", "1.jpg", "2.png"):
        write_image(tmp_path / name, moving_frames(1, 16, 16)[0])
    assert outs(list(folder_tasks(tmp_path, ".flo", tmp_path / "out"))) == ["1.jpg.flo", "1.png.flo"]


def test_a_folder_without_pairs(tmp_path: Path) -> None:
    write_image(tmp_path / "s" / "1.png", moving_frames(1, 16, 16)[0])
    with pytest.raises(InputError, match="must contain at least two frames"):
        list(folder_tasks(tmp_path, ".flo", tmp_path / "out"))


def test_no_output_is_a_frame(tmp_path: Path) -> None:
    items = read("a.png,b.png\nb.png,c.png,c.png\n", tmp_path, ".png")
    assert are_good(Distinct(items, files_below(tmp_path))) == [False, False]
    assert are_good(Distinct(items, files_below(tmp_path / "out"))) == [True, True]


@pytest.mark.parametrize("are_known", [True, False])
def test_no_output_is_a_frame_by_another_name(tmp_path: Path, are_known: bool) -> None:
    for name in ("in/a.png", "in/b.png", "in/c.png"):
        write_image(tmp_path / name, moving_frames(1, 16, 16)[0])
    (tmp_path / "linked").symlink_to(tmp_path / "in")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link.png").symlink_to(tmp_path / "in" / "b.png")
    items = read("in/a.png,in/b.png,b.png\nin/b.png,in/c.png,link.png\nin/a.png,in/c.png,new.png\n", tmp_path, ".png")
    given = items if are_known else iter(items)
    assert are_good(Distinct(given, files_below(tmp_path / "out"))) == [True, False, True]
    given = items if are_known else iter(items)
    assert are_good(Distinct(given, files_below(tmp_path / "linked"))) == [False, True, True]
    given = items if are_known else iter(items)
    assert are_good(Distinct(given, files_below(tmp_path / "not" / "there"))) == [True, True, True]


def test_no_output_is_a_frame_whatever_is_written_beside_it(tmp_path: Path) -> None:
    """Outputs in one folder need not have their files in one folder."""
    for name in ("a.png", "out/b.png", "out/masks/s/b.png"):
        write_image(tmp_path / name, moving_frames(1, 16, 16)[0])

    def judged(outputs: BatchOutputs, *items: dict[str, str]) -> list[bool]:
        tasks = list(Manifest(map(json.dumps, items), "items", tmp_path, ".flo").tasks())
        return are_good(Distinct(tasks, outputs.files_of, outputs.folder_of))

    over = {"frame1": "a.png", "frame2": "out/b.png", "out": "b.png"}
    assert judged(BatchOutputs(tmp_path / "out"), {"video": "v.mp4", "out": "v"}, over) == [True, False]
    outputs = BatchOutputs(tmp_path / "out", consistency=Consistency(mask=True, mask_names="masks/{flow}.png"))
    others = {"frame1": "a.png", "frame2": "out/masks/s/b.png"}
    assert judged(outputs, {**others, "out": "s/a.npz"}, {**others, "out": "s/b.flo"}) == [True, False]
    outputs = BatchOutputs(tmp_path / "out", consistency=Consistency(mask=True, mask_names="masks/s/{flow}.png"))
    others = {"frame1": "a.png", "frame2": "out/masks/s/b.png"}
    assert judged(outputs, {**others, "out": "a.flo"}, {**others, "out": "b.flo"}) == [True, False]


def test_a_path_that_no_file_system_can_have() -> None:
    assert are_good(read('{"frame1": "\\ud800.png", "frame2": "b.png"}\n')) == [False]


def test_lines_of_failures_without_frames_are_left_out() -> None:
    lines = [{"origin": "m.csv, line 4", "error": "x"}, {"frame1": "a.png", "frame2": "b.png", "error": "y"}]
    assert are_good(read("".join(json.dumps(line) + "\n" for line in lines))) == [True]


def test_frames_are_looked_for_only_where_they_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("lists/both", "lists/own", "both", "current"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.png").touch()
    monkeypatch.chdir(tmp_path)
    looked_for: list[str] = []

    def lexists(path: str | Path) -> bool:
        looked_for.append(str(path))
        return os.access(path, os.F_OK)

    monkeypatch.setattr(os.path, "lexists", lexists)
    read("own/a.png,none/a.png\n", tmp_path / "lists")
    assert not any(path.endswith("a.png") for path in looked_for if "," not in path)
    here, own = read("current/a.png,both/a.png\n", tmp_path / "lists")[0].frame1, tmp_path / "lists" / "both" / "a.png"
    assert here == Path("current/a.png")
    assert str(own) in looked_for
