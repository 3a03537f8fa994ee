"""`miqanet token`: who may use a node's REST API and page."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miqanet.cli.errors import errors, fail, need

if TYPE_CHECKING:
    from miqanet.hospital.config import Config

app = typer.Typer(no_args_is_help=True, help="Let users of a node in by tokens, and withdraw them.")

_Config = Annotated[
    Path,
    typer.Option("--config", exists=True, dir_okay=False, help="The node's configuration, miqanet.toml."),
]
_Name = Annotated[str, typer.Argument(help="Of a person, a scanner or a screen; the audit trail names it.")]


@app.command()
def add(
    name: _Name,
    config: _Config,
    allow: Annotated[
        list[str],
        typer.Option(
            help="read: see series and verdicts. send: hand in images, nothing else. admin: both, and let results "
            "be sent again. names: with one that reads, see names of patients. Several apart by commas."
        ),
    ],
) -> None:
    """Print a new token, once: only its hash is kept."""
    settings = _read(config)
    from miqanet.hospital.tokens import Permission, TokenError, Tokens

    try:
        permissions = [Permission(word.strip()) for each in allow for word in each.split(",")]
    except ValueError:
        fail(f"--allow takes {', '.join(Permission)}")
    _require_owner(settings.storage.spool)
    try:
        token = Tokens(settings.web.tokens).add(name, permissions)
    except (TokenError, OSError) as error:
        fail(str(error))
    _note(settings, name)
    errors.print("This token is shown once. Who has it can use it.", highlight=False)
    typer.echo(token)


@app.command("list")
def list_users(config: _Config) -> None:
    """List users and what they may do."""
    settings = _read(config)
    from miqanet.hospital.tokens import TokenError, Tokens

    try:
        for user in Tokens(settings.web.tokens).users():
            typer.echo(f"{user.name}\t{','.join(sorted(user.permissions))}")
    except (TokenError, OSError) as error:
        fail(str(error))


@app.command()
def remove(name: _Name, config: _Config) -> None:
    """Withdraw a user's token, at once."""
    settings = _read(config)
    from miqanet.hospital.tokens import TokenError, Tokens

    _require_owner(settings.storage.spool)
    try:
        Tokens(settings.web.tokens).remove(name)
    except (TokenError, OSError) as error:
        fail(str(error))
    _note(settings, name)


def _read(path: Path) -> Config:
    need("hospital", "pydicom", "sqlalchemy", "starlette")
    from miqanet.hospital.config import read_config
    from miqanet.hospital.settings_table import ConfigError

    try:
        return read_config(path)
    except ConfigError as error:
        fail(str(error))


def _require_owner(spool: Path) -> None:
    """Refuse to write as another user than the node's, who could then read neither tokens nor database."""
    if spool.exists() and spool.stat().st_uid != os.geteuid():
        name = spool.owner()
        fail(f"the node in {spool} is run by {name}: do this as that user, by runuser -u {name} -- ...")


def _note(settings: Config, name: str) -> None:
    """Write into the audit trail who has changed whose token."""
    from pydicom.sr.codedict import codes
    from sqlalchemy.exc import SQLAlchemyError

    from miqanet.hospital.audit import AuditTrail
    from miqanet.hospital.node_database import open_node_database, upgrade_node_database

    try:
        settings.storage.spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = open_node_database(settings.storage.database_url)
        upgrade_node_database(engine)
        trail = AuditTrail(engine, settings.dicom.ae_title)
        trail.changed(getpass.getuser(), "", name, codes.DCM.UserSecurityAttributesChanged)
        engine.dispose()
    except (OSError, ValueError, SQLAlchemyError) as error:
        errors.print(
            f"the change is made, but the audit trail lacks it ({type(error).__name__})", style="yellow"
        )
