"""Several models on a data set in one run, and the table of their figures."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from flowcli.choices import TableFormat
from flowcli.cli.model_tables import table_text
from flowcli.cli.variants import VariantOptions
from flowcli.errors import UsageError
from flowcli.results import FigureTable, TableColumn, TableRow
from support.pages import page_data

from ..conftest import Run
from ..datasets.layouts import LAYOUTS

TABLE = FigureTable(
    dataset="any",
    columns=(
        TableColumn(row="clean", key="epe_all", heading="EPE all"),
        TableColumn(row="clean", key="fl", heading="Fl %"),
        TableColumn(row="final_1", key="wauc", heading="WAUC %", larger_is_better=True),
    ),
    rows=(
        TableRow(name="a|b_c", values=(1.23449, 5.0, 70.0)),
        TableRow(name="dis", values=(1.23441, 6.0, None)),
        TableRow(name="Paper (published)", values=(None, None, 80.0), source="a paper, 2020"),
    ),
)
SEVERAL = ("-m", "dis", "--variant", "half=--scale 0.5")


def test_markdown() -> None:
    """What is printed alike is best alike; larger values are better where the column says so."""
    assert table_text(TABLE, "markdown").splitlines() == [
        "|  | clean EPE all | clean Fl % | final\\_1 WAUC % |",
        "| --- | ---: | ---: | ---: |",
        "| a\\|b\\_c | **1.234** | **5.000** | 70.000 |",
        "| dis | **1.234** | 6.000 | - |",
        "| Paper (published) | - | - | **80.000** |",
    ]


def test_latex(tmp_path: Path) -> None:
    text = table_text(TABLE, "latex")
    assert text.splitlines() == [
        r"\begin{tabular}{lrrr}",
        r"\toprule",
        r" & \multicolumn{2}{c}{clean} & \multicolumn{1}{c}{final\_1} \\",
        r"\cmidrule(lr){2-3}\cmidrule(lr){4-4}",
        r" & EPE all & Fl \% & WAUC \% \\",
        r"\midrule",
        r"a|b\_c & \textbf{1.234} & \textbf{5.000} & 70.000 \\",
        r"dis & \textbf{1.234} & 6.000 & - \\",
        r"Paper (published) & - & - & \textbf{80.000} \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]
    if shutil.which("pdflatex") is None:
        return
    (tmp_path / "t.tex").write_text(
        f"\\documentclass{{article}}\\usepackage{{booktabs}}\\begin{{document}}{text}\\end{{document}}"
    )
    subprocess.run(["pdflatex", "-halt-on-error", "t.tex"], cwd=tmp_path, check=True, timeout=120, capture_output=True)


def test_csv_has_all_digits() -> None:
    rows = list(csv.reader(io.StringIO(table_text(TABLE, "csv"))))
    assert rows[0] == ["model", "clean EPE all", "clean Fl %", "final_1 WAUC %"]
    assert rows[1:] == [
        ["a|b_c", "1.23449", "5.0", "70.0"],
        ["dis", "1.23441", "6.0", ""],
        ["Paper (published)", "", "", "80.0"],
    ]


def test_text() -> None:
    assert table_text(TABLE, "text").splitlines() == [
        "                     clean          final_1",
        "                   EPE all    Fl %   WAUC %",
        "a|b_c               *1.234  *5.000   70.000",
        "dis                 *1.234   6.000        -",
        "Paper (published)        -       -  *80.000",
    ]


@pytest.mark.parametrize("table_format", ["text", "markdown", "latex"])
def test_a_single_model_is_not_the_best_of_any(table_format: TableFormat) -> None:
    alone = FigureTable(dataset="any", columns=TABLE.columns, rows=TABLE.rows[:1])
    text = table_text(alone, table_format)
    assert "1.234" in text
    assert not [mark for mark in ("**", r"\textbf", " *") if mark in text]


class TestVariants:
    def test_models_and_settings(self) -> None:
        options = VariantOptions(model=["dis", "someone/flow"], scale=0.75, device="cpu")
        assert [(each.name, each.folder) for each in options.variants()] == [("dis", "dis"), ("someone/flow", "flow")]
        assert {each.options.scale for each in options.variants()} == {0.75}
        options = VariantOptions(
            model=["dis"], variant=["half=--scale 0.5", "c2f=-m 'a b' --coarse-to-fine"], scale=0.75
        )
        dis, half, fine = options.variants()
        assert (dis.options.model, dis.options.scale) == ("dis", 0.75)
        assert (half.options.model, half.options.scale, half.options.coarse_to_fine) == ("dis", 0.5, False)
        assert (fine.options.model, fine.options.scale, fine.options.coarse_to_fine) == ("a b", 0.75, True)

    def test_the_default_model(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FLOWCLI_MODEL", "my models/flow")
        assert VariantOptions().single().model == "my models/flow"
        (named,) = VariantOptions(variant=["half=--scale 0.5"]).variants()
        assert (named.name, named.options.model) == ("half", "my models/flow")

    @pytest.mark.parametrize(
        ("models", "variants", "words"),
        [
            (["dis"], ["half"], "is not NAME='OPTIONS'"),
            (["dis"], ["a/b=--scale 0.5"], "is not NAME='OPTIONS'"),
            (["dis"], ["x=--scael 0.5"], "No such option: --scael"),
            (["dis"], ["x=--scale a"], "x: "),
            (["dis"], ["x='--scale"], "No closing quotation"),
            (["dis"], ["x=again"], "x: "),
            (["dis"], ["x=--help"], "No such option: --help"),
            (["dis", "b"], ["x=--scale 0.5"], "does not say which of the models"),
            (["a/flow", "b/flow"], [], "two variants would share the folder flow"),
            (["dis"], ["DIS=--scale 0.5"], "two variants would share the folder"),
        ],
    )
    def test_what_cannot_be_understood(self, models: list[str], variants: list[str], words: str) -> None:
        with pytest.raises(UsageError) as error:
            VariantOptions(model=models, variant=variants).variants()
        assert words in str(error.value)


def test_several_models_give_one_table(flowcli: Run, tmp_path: Path) -> None:
    LAYOUTS["kitti2015"](tmp_path / "root")
    command = ("eval", "--dataset", "kitti2015", "root", "--out-dir", "out", *SEVERAL, "--published")
    done = flowcli(*command, "--report", "r.html", "--error-map", "maps")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["dis", "half", "Perceiver"]
    assert lines[4].split()[3] == "4.980"
    assert b"table 4" in done.stderr
    folders = {"dis", "half"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == folders
    assert {path.name for path in (tmp_path / "maps").iterdir()} == folders
    for name in folders:
        (authors,) = page_data(tmp_path / f"r-{name}.html")["further"]
        assert (authors["title"], [row["name"] for row in authors["rows"]]) == ("KITTI 2015", ["noc", "all"])
    again = flowcli(*command, "--json")
    found = [json.loads(line) for line in again.stdout.splitlines()]
    assert {line["variant"] for line in found[:-1]} == folders
    summaries = [line for line in found if line["type"] == "summary"]
    assert [(line["variant"], line["scale"], line["done"]) for line in summaries] == [("dis", 1.0, 0), ("half", 0.5, 0)]
    table = found[-1]
    assert table["type"] == "table"
    place = [(column["row"], column["key"]) for column in table["columns"]]
    for row, summary in zip(table["rows"], summaries, strict=False):
        values = dict(zip(place, row["values"], strict=True))
        assert values["all", "epe"] == summary["subsets"]["all"]["epe"]
        assert values["noc", "fl_bg"] == summary["benchmark"]["kitti2015"]["noc"]["fl_bg"]


def test_a_model_of_which_pairs_fail_does_not_stop_the_others(flowcli: Run, tmp_path: Path) -> None:
    LAYOUTS["middlebury"](tmp_path / "root")
    for frame in (tmp_path / "root").rglob("Venus/frame10.png"):
        frame.write_bytes(frame.read_bytes()[:40])
    done = flowcli("eval", "--dataset", "middlebury", "root", *SEVERAL)
    assert (done.returncode, done.stdout) == (6, b"")
    errors = done.stderr.decode()
    for name in ("dis", "half"):
        assert f"flowcli: {name}: 1 of 2 pairs failed" in errors
        assert list((tmp_path / "eval-middlebury" / name).rglob("*.flo"))


def test_what_excludes_each_other(flowcli: Run, tmp_path: Path) -> None:
    LAYOUTS["viper"](tmp_path / "root")
    both = flowcli("eval", "--dataset", "viper", "root", "-m", "dis", "--table", "csv", "--json")
    assert both.returncode == 2
    assert b"--table and --json exclude each other" in both.stderr
    for more in (("-m", "x"), ("--variant", "a=--scale 1"), ("--table", "csv"), ("--published",)):
        assert flowcli("eval", "a.flo", "b.flo", "-m", "dis", *more).returncode == 2
