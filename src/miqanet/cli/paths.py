"""Which images commands take: whatever lies in files and folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Paths = Annotated[
    list[Path],
    typer.Argument(
        exists=True,
        readable=False,
        help="Files, folders and DICOMDIRs: DICOM, NIfTI, PNG, TIFF, JPEG, BMP, NPY.",
    ),
]
"""What cannot be read becomes a row that says so; it does not end the command."""
