"""The command line: one module a command group, each a thin layer over the library."""

import signal

import typer

from miqanet.cli import (
    artifacts,
    benchmark,
    calibrate,
    database,
    demo,
    export,
    features,
    node,
    screen,
    study,
    token,
    train,
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Can a radiologist use this MR image? Diagnostic image quality with MIQANet.",
)
app.command("screen")(screen.screen)
app.command("demo")(demo.demo)
app.add_typer(database.app, name="database")
app.command("train")(train.train)
app.command("export")(export.export)
app.command("calibrate")(calibrate.calibrate)
app.command("benchmark")(benchmark.benchmark)
app.command("features")(features.features)
app.add_typer(artifacts.app, name="artifacts")
app.add_typer(study.app, name="study")
app.command("node")(node.node)
app.add_typer(token.app, name="token")


def main() -> None:
    """Run the command that the arguments name."""
    # Who ends a command from outside wants what Ctrl-C gives: no process left, and files that are whole.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()
