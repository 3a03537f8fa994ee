"""`miqanet artifacts`: look at what the artifact physics does to an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miqanet.cli.errors import fail

if TYPE_CHECKING:
    from miqanet.artifacts import Image

app = typer.Typer(no_args_is_help=True, help="See what simulated MR artifacts do to an image.")


@app.callback()
def artifacts() -> None:
    """See what simulated MR artifacts do to an image."""


@app.command()
def sheet(
    image: Annotated[
        Path | None, typer.Argument(help="Image to spoil, in any format that is read; else a phantom.")
    ] = None,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to write KIND.png to.")] = Path(
        "contact-sheets"
    ),
    kind: Annotated[
        list[str] | None, typer.Option(help="Artifact to draw; repeat it; all by default.")
    ] = None,
) -> None:
    """Draw a contact sheet of each artifact: a row a draw, a column a severity."""
    from PIL import Image as Picture

    from miqanet.artifacts import KINDS
    from miqanet.artifacts.contact_sheet import contact_sheet
    from miqanet.artifacts.phantom import phantom

    for name in kind or ():
        if name not in KINDS:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(KINDS)}", param_hint="--kind")
    pixels = phantom() if image is None else _first_image(image)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in kind or KINDS:
            path = out / f"{name}.png"
            Picture.fromarray(contact_sheet(name, pixels)).save(path, optimize=True)
            typer.echo(path)
    except OSError as error:
        fail(str(error))


def _first_image(path: Path) -> Image:
    import numpy as np

    from miqanet.image import MRImage
    from miqanet.reading import read_images

    reason = "there is no such file" if not path.exists() else "no image was found"
    for read in read_images([path]):
        if isinstance(read, MRImage):
            # Magnitudes are not negative; a rescale intercept can say otherwise.
            return np.asarray(read.pixels - min(0.0, float(read.pixels.min())), np.float32)
        reason = read.reason
    raise typer.BadParameter(f"{path}: {reason}", param_hint="IMAGE")
