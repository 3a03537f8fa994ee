"""Write what the documentation states of the code: the commands' options and the rules of harm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from miqanet.artifacts.harm import RULES
from miqanet.cli import app

DOCS = Path(__file__).resolve().parent
COMMANDS, CONCEPTS = DOCS / "reference" / "commands.md", DOCS / "concepts.md"

_HEADER = """# Commands

<!-- Written by docs/write_reference.py: change the code, not this file. -->

`miqanet COMMAND --help` says the same. Errors and progress go to standard error, results to standard output.
"""


def commands() -> str:
    """Return the reference of all commands."""
    return _HEADER + "".join(
        _section(name, command) for name, command in _leaves("miqanet", get_command(app))
    )


def with_rules(concepts: str) -> str:
    """Return the concepts with the tables of the rules of harm as the code has them."""
    rules = "\n".join(
        f"| `{kind}` | `{rule.measure.__name__}` | {rule.level:g} |" for kind, rule in RULES.items()
    )
    measures = "\n".join(
        f"| `{measure.__name__}` | {_first_line(measure.__doc__)} |"
        for measure in dict.fromkeys(rule.measure for rule in RULES.values())
    )
    tables = f"| Artifact | Measure | Harm is 1 at |\n|---|---|---|\n{rules}\n\n| Measure | |\n|---|---|\n{measures}"
    return re.sub(
        r"(<!-- rules: [^>]*-->).*?(<!-- end of rules -->)",
        lambda match: f"{match[1]}\n\n{tables}\n\n{match[2]}",
        concepts,
        flags=re.DOTALL,
    )


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield name, command
    else:
        for word, below in command.commands.items():
            yield from _leaves(f"{name} {word}", below)


def _section(name: str, command: Any) -> str:
    shown = [parameter for parameter in command.params if parameter.name != "help"]
    arguments = "".join(f" {_spelled(each)}" for each in shown if not _is_option(each))
    rows = "".join(f"| `{_in_a_cell(_spelled(each))}` | {_default(each)} | {each.help} |\n" for each in shown)
    return (
        f"\n## {name}\n\n{command.help.strip()}\n\n```\n{name}{arguments} [OPTIONS]\n```\n\n"
        f"| | Default | |\n|---|---|---|\n{rows}"
    )


def _is_option(parameter: Any) -> bool:
    return bool(parameter.opts[0].startswith("-"))


def _spelled(parameter: Any) -> str:
    if not _is_option(parameter):
        name = parameter.metavar or parameter.name.upper()
        named = name if parameter.required else f"[{name}]"
        return named + ("..." if parameter.nargs == -1 else "")
    names = ", ".join(parameter.opts)
    if parameter.is_flag:
        return " / ".join([names, *parameter.secondary_opts])
    return f"{names} {parameter.metavar or parameter.name.upper()}"


def _in_a_cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if parameter.secondary_opts:
        return f"`{(parameter.opts if parameter.default else parameter.secondary_opts)[0]}`"
    default = parameter.default
    given = isinstance(default, int | float | str | Path) and default is not False and default != ""
    return f"`{default}`" if given else ""


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().splitlines()[0]


if __name__ == "__main__":
    COMMANDS.write_text(commands(), encoding="utf-8")
    CONCEPTS.write_text(with_rules(CONCEPTS.read_text(encoding="utf-8")), encoding="utf-8")
