"""The command line: one module a command group, each a thin layer over the library."""

import typer

from miqanet.cli import artifacts, demo, screen

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Can a radiologist use this MR image? Diagnostic image quality with MIQANet.",
)
app.add_typer(artifacts.app, name="artifacts")
app.command("screen")(screen.screen)
app.command("demo")(demo.demo)


def main() -> None:
    """Run the command that the arguments name."""
    app()
