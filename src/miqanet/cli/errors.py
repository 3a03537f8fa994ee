"""How commands end when something is wrong: exit codes, and one red line that says what to do."""

from __future__ import annotations

import importlib.util
from typing import NoReturn

import typer
from rich.console import Console

LOW_FOUND = 1
WRONG_USE = 2
NOTHING_JUDGED = 3
INTERRUPTED = 130

errors = Console(stderr=True)


def need(extra: str, *modules: str) -> None:
    """End the command unless the modules of an extra are installed."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            fail(f"{module} is not installed: run `pip install 'miqanet[{extra}]'`")


def complain(message: str) -> None:
    """Print what is wrong."""
    errors.print(f"error: {message}", style="red", markup=False, highlight=False, soft_wrap=True)


def fail(message: str, code: int = WRONG_USE) -> NoReturn:
    """Print why the command cannot go on, and end it."""
    complain(message)
    raise typer.Exit(code)
