"""`miqanet study`: let people rate the images of a database, and make labels of what they say."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from miqanet.cli.errors import fail
from miqanet.cli.place import Place, opened
from miqanet.cli.study_agreement import agreement
from miqanet.cli.study_database import need_study, opened_study

app = typer.Typer(no_args_is_help=True, help="Let people rate images, and see how well they agree.")

_Url = Annotated[
    str, typer.Option(help="Where raters will reach the server; begins the links that are printed.")
]
_URL = "http://127.0.0.1:8000"


@app.callback()
def study() -> None:
    """Let people rate images, and see how well they agree."""


app.command()(agreement)


@app.command()
def create(
    place: Place,
    raters: Annotated[
        Path, typer.Option(help="File of names or, better, pseudonyms: one a line, `,admin` behind one.")
    ],
    per_image: Annotated[
        int | None, typer.Option(min=1, help="Raters that judge an image; all of them by default.")
    ] = None,
    repeats: Annotated[
        str, typer.Option(help="Share of a rater's images that come once more, unannounced.")
    ] = "5%",
    name: Annotated[str, typer.Option(help="What the study is called.")] = "Image quality",
    question: Annotated[str | None, typer.Option(help="What raters are asked.")] = None,
    grades: Annotated[
        int | None, typer.Option(help="A scale of 3 to 7 grades instead of low and high.")
    ] = None,
    tags: Annotated[
        str | None, typer.Option(help="Artifacts to name by a digit, apart by commas; ten at most.")
    ] = None,
    minimum_seconds: Annotated[
        float, typer.Option(min=0, max=600, help="How long an image must be looked at before a verdict.")
    ] = 1.0,
    training: Annotated[
        Path | None,
        typer.Option(help="CSV of images to learn on: image (its file in the database), expected, text."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of who judges what and in which order; random by default.")
    ] = None,
    url: _Url = _URL,
) -> None:
    """Begin a study of a database's images, and print the invitations, which nobody can print again."""
    need_study()
    from miqanet.study import protocol as wording
    from miqanet.study.creation import StudyExistsError, create_study
    from miqanet.study.raters_file import read_raters
    from miqanet.study.training_file import read_training

    try:
        invitees = read_raters(raters)
        with opened(place) as database:
            categories = wording.LOW_HIGH if grades is None else wording.graded_scale(grades)
            protocol = wording.Protocol(
                name=name,
                question=question or wording.QUESTION,
                categories=categories,
                tags=wording.artifact_tags(wording.TAGS if tags is None else _names(tags)),
                confidence=wording.CONFIDENCE,
                minimum_viewing_ms=round(1000 * minimum_seconds),
                per_image=per_image or sum(not each.administrator for each in invitees),
                repeats=_share(repeats),
                seed=secrets.randbelow(2**31) if seed is None else seed,
                training=read_training(training, database.engine, categories) if training else (),
            )
            invitations = create_study(database.engine, protocol, invitees, datetime.now(UTC))
    except (OSError, StudyExistsError, ValueError) as error:
        fail(str(error))
    typer.echo(f"protocol version {protocol.version}; each link is somebody's key, and is shown only now:")
    for each in invitations:
        work = "administrator" if each.administrator else f"{each.images} images"
        typer.echo(f"{each.name} ({work}): {_link(url, each.token)}")
    if not any(each.administrator for each in invitations):
        typer.echo("nobody is administrator: `miqanet study status` tells how far raters are")


@app.command()
def serve(
    place: Place,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8000,
    certificate: Annotated[
        Path | None, typer.Option("--tls-certificate", exists=True, dir_okay=False, help="In PEM.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--tls-key", exists=True, dir_okay=False, help="The certificate's, in PEM.")
    ] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy that speaks HTTPS stands in front.")
    ] = False,
) -> None:
    """Let raters in, until interrupted. Other machines reach the server only with TLS, its own or a proxy's."""
    need_study()
    from miqanet.study.app import create_app
    from miqanet.web.serving import Address, listen
    from miqanet.web.serving import serve as serve_app

    try:
        address = Address(host, port, certificate, key, behind_proxy)
        with opened(place) as database:
            app = create_app(database, address.https)
            listening = listen(address)
            typer.echo(f"the rating room is open at {address.url}; Ctrl-C closes it")
            serve_app(app, address, listening)
    except (OSError, ValueError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        # Open requests have been answered by now.
        typer.echo("closed")


@app.command()
def status(place: Place) -> None:
    """Print how far each rater is, and what there is to label."""
    need_study()
    from miqanet.study.progress import progress

    with opened_study(place) as (connection, protocol):
        found = progress(connection, protocol)
    console = Console(highlight=False, markup=False)
    table = Table(
        Column("rater", overflow="fold"),
        *(_right(name) for name in ("done", "of", "a minute", "low", "same again", "last vote")),
    )
    for each in found.raters:
        table.add_row(
            each.rater,
            str(each.done),
            str(each.total),
            "" if each.votes_per_minute is None else f"{each.votes_per_minute:.1f}",
            _percent(each.low_share),
            _percent(each.intra_rater_agreement),
            _minute(each.last_vote),
        )
    console.print(f"{found.study}, protocol version {protocol.version}")
    console.print(table)
    console.print(
        f"{found.images_complete} of {found.images} images are judged by all who were asked; of these, "
        f"{found.ties} are tied"
    )


@app.command()
def labels(
    place: Place,
    at_least: Annotated[
        int | None, typer.Option(min=1, help="Votes that an image needs; all it was to have by default.")
    ] = None,
    ties: Annotated[
        Path | None, typer.Option(dir_okay=False, help="New CSV of the ties, for a senior reader to fill in.")
    ] = None,
    decisions: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="That CSV, filled in: low or high.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete the images' labels by others; votes stay.")
    ] = False,
) -> None:
    """Label the images by the majority of the raters; `miqanet train` uses these labels.

    A tie has no label until a senior reader decides it. Hidden repeats do not count. Run it again at any time.
    """
    need_study()
    from miqanet.study.decisions import read_decisions, write_ties
    from miqanet.study.labels import write_labels

    if ties is not None and ties.exists():
        fail(f"{ties} exists: name another file")
    try:
        decided = read_decisions(decisions) if decisions else {}
        with opened_study(place, writing=True) as (connection, protocol):
            summary = write_labels(
                connection, protocol, at_least=at_least, decisions=decided, replace=replace
            )
        if ties is not None:
            write_ties(ties, summary.ties)
    except (OSError, ValueError) as error:
        fail(str(error))
    typer.echo(
        f"{summary.low + summary.high} images labelled, {summary.low} low and {summary.high} high, "
        f"{summary.decided} of them by a senior reader"
    )
    typer.echo(
        f"{len(summary.ties)} images are tied and await a senior reader; {summary.incomplete} lack votes"
    )
    for tie in summary.ties if ties is None else ():
        typer.echo(f"tied: {tie.image} ({tie.votes_for_low} of {tie.votes_in_all} say low)")


@app.command()
def export(
    place: Place,
    out: Annotated[Path, typer.Argument(dir_okay=False, help="New file: .csv or .parquet.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """Write every reading with its order, its times and the version of the protocol."""
    need_study()
    from miqanet.study.exporting import reading_rows, write_readings

    if out.exists() and not overwrite:
        fail(f"{out} exists: name another file or give --overwrite")
    with opened_study(place) as (connection, _):
        rows = reading_rows(connection)
    try:
        write_readings(out, rows)
    except (OSError, ValueError) as error:
        fail(str(error))
    typer.echo(f"{out}: {len(rows)} readings")


@app.command()
def invite(
    place: Place,
    name: Annotated[str, typer.Argument(help="Who lost the invitation.")],
    url: _Url = _URL,
) -> None:
    """Print a new invitation in place of a lost one, which ends, as do the sessions that it began."""
    need_study()
    from miqanet.study.accounts import invite as invite_again

    try:
        with opened_study(place, writing=True) as (connection, _):
            token = invite_again(connection, name)
    except ValueError as error:
        fail(str(error))
    typer.echo(_link(url, token))


def _right(name: str) -> Column:
    return Column(name, justify="right")


def _minute(moment: str | None) -> str:
    """Return a time as this machine's clock shows it."""
    return "" if moment is None else f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _link(url: str, token: str) -> str:
    return f"{url.rstrip('/')}/join/{token}"


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


def _share(text: str) -> float:
    """Return a share that was given as `5%` or `0.05`."""
    try:
        return float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise ValueError(f"{text} is no share: write 5% or 0.05") from None
