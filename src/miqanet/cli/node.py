"""`miqanet node`: judge images beside the PACS, as they come."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from miqanet.cli.errors import fail, need


def node(
    config: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="The node's configuration, miqanet.toml.")
    ],
    check: Annotated[bool, typer.Option("--check", help="Only read the configuration.")] = False,
) -> None:
    """Receive MR images by DICOM and STOW-RS, judge them, and send results to archives, until stopped."""
    need("hospital", "highdicom", "pynetdicom", "prometheus_client", "sqlalchemy", "fastapi", "uvicorn")
    from miqanet.hospital.config import read_config
    from miqanet.hospital.node import NodeError, run_node
    from miqanet.hospital.settings_table import ConfigError
    from miqanet.screening.card import WeightsError

    try:
        settings = read_config(config)
        if check:
            typer.echo(f"{config}: a node can be started with it")
            return
        logging.basicConfig(level=logging.INFO, format="%(asctime)s node %(levelname)s %(message)s")
        logging.getLogger("alembic").setLevel(logging.WARNING)
        run_node(settings, config.resolve())
    except (ConfigError, NodeError, WeightsError) as error:
        fail(str(error))
