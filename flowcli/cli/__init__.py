"""The command line: a thin skin over the Python API, one module per command.

Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import traceback

import typer

from ..errors import FlowcliError
from ..shutdown import INTERRUPTED, INTERRUPTED_MESSAGE, is_interruption
from ..version import __version__
from . import batch, chain, convert, datasets, demo, estimate, evaluate, info, model, video, view, warp
from .console import console
from .options import help_without_command

app = typer.Typer(
    name="flowcli",
    help="Dense optical flow with the pretrained Perceiver IO checkpoint.",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("estimate")(estimate.estimate)
app.command("video")(video.video)
app.command("batch")(batch.batch)
app.command("eval")(evaluate.evaluate)
app.command("datasets")(datasets.datasets)
app.command("convert")(convert.convert)
app.command("info")(info.info)
app.command("chain")(chain.chain)
app.command("warp")(warp.warp)
app.command("view")(view.view)
app.command("demo")(demo.demo)
app.add_typer(model.app, name="model")


def _show_version(wanted: bool) -> None:
    if wanted:
        console.output(f"flowcli {__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _flowcli(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Print the version."),  # noqa: ARG001
) -> None:
    """Dense optical flow with the pretrained Perceiver IO checkpoint."""
    help_without_command(context)


def run(arguments: list[str]) -> int:
    """Run a command; every error becomes one line on stderr and an exit code."""
    try:
        code = app(arguments, prog_name="flowcli", standalone_mode=False)
    except typer.TyperException as error:  # wrong usage, as typer sees it
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "flowcli"
        console.error(f"{error.format_message().rstrip('.')}; see {path} --help")
        return error.exit_code
    except FlowcliError as error:
        console.error(error.with_flags())
        _show_traceback_if_verbose()
        return error.exit_code
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as fault:  # the contract: no traceback reaches a user but with --verbose
        if is_interruption(fault):
            console.error(INTERRUPTED_MESSAGE)
            return INTERRUPTED
        summary = f"{type(fault).__name__}: {fault}".splitlines()[0]
        console.error(f"a fault in flowcli itself: {summary}; please report it with what --verbose prints")
        _show_traceback_if_verbose()
        return FlowcliError.exit_code
    if code == INTERRUPTED:  # typer turns Ctrl-C into this code
        console.error(INTERRUPTED_MESSAGE)
    return int(code or 0)


def _show_traceback_if_verbose() -> None:
    if console.verbose:
        traceback.print_exc()
