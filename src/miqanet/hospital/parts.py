"""The processes of a node: one receives, one judges, one sends, one serves REST and the page.

Each knows the others by the database alone, and may be killed at any moment: what it was doing comes back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Engine

from miqanet import __version__
from miqanet.hospital.audit import AuditTrail
from miqanet.hospital.config import Archive, Config, CStoreArchive
from miqanet.hospital.node_database import open_node_database
from miqanet.hospital.node_schema import AuditMessage, Image, Send
from miqanet.hospital.part import Part
from miqanet.hospital.pictures import Pictures
from miqanet.hospital.records import Device
from miqanet.hospital.rest_queries import NodeQueries
from miqanet.hospital.settings_table import ConfigError
from miqanet.hospital.spool import Spool
from miqanet.hospital.store import NodeStore
from miqanet.hospital.transfers import Transfers

IDLE_SECONDS: Final = 0.2
_AUDIT_SECONDS: Final = 1.0
_TIDY_SECONDS: Final = 3600.0

log = logging.getLogger(__name__)


def run(part: Part, config: Config) -> None:
    """Do a part's work for ever."""
    {Part.RECEIVER: receive, Part.JUDGE: judge, Part.SENDER: send, Part.WEB: serve}[part](config)


def receive(config: Config) -> None:
    """Receive by DICOM."""
    from miqanet.hospital.ingest import Ingest
    from miqanet.hospital.scp import Scp

    engine = open_node_database(config.storage.database_url)
    ingest = Ingest(Spool(config.storage.spool), NodeStore(engine))
    Scp(config.dicom, ingest, _transfers(engine, config)).serve()


def judge(config: Config) -> None:
    """Judge what waits."""
    from miqanet.hospital.judging import Judge
    from miqanet.screening.card import default_weights
    from miqanet.screening.engine import Engine as Network

    settings, folder = config.judging, config.storage.spool
    network = Network(settings.weights or default_weights(), threads=settings.threads)
    store = NodeStore(open_node_database(config.storage.database_url))
    worker = Judge(network, store, Spool(folder), Pictures(folder), heat_maps=config.results.heat_maps)
    store.release(Image, time.time())
    _repeat(lambda: 0.0 if worker.work(time.time()) else IDLE_SECONDS)


def send(config: Config) -> None:
    """Write results and send them, hand over audit messages, and tidy up."""
    jobs = _sending_jobs(config)
    for job in jobs[1:]:
        threading.Thread(target=_repeat, args=(job,), daemon=True).start()
    _repeat(jobs[0])


def serve(config: Config) -> None:
    """Serve REST, STOW-RS and the page."""
    import uvicorn

    from miqanet.hospital.ingest import Ingest
    from miqanet.hospital.rest import create_app, uvicorn_config

    engine = open_node_database(config.storage.database_url)
    application = create_app(engine, config, Ingest(Spool(config.storage.spool), NodeStore(engine)))
    try:
        server = uvicorn.Server(uvicorn_config(application.served, config.web))
    except ValueError as error:
        raise ConfigError(f"web: {error}") from error
    server.run()


def _sending_jobs(config: Config) -> list[Callable[[], float]]:
    """Return jobs, each to be done again and again by a thread of its own; they return how long to wait."""
    from miqanet.hospital.audit_delivery import AuditDelivery
    from miqanet.hospital.audit_syslog import open_target
    from miqanet.hospital.delivery import Courier, Writer, connect
    from miqanet.hospital.housekeeping import tidy
    from miqanet.hospital.outbox import Outbox

    engine = open_node_database(config.storage.database_url)
    store, outbox = NodeStore(engine), Outbox(engine)
    store.release(Send, time.time())
    store.release(AuditMessage, time.time())
    spool, pictures = Spool(config.storage.spool), Pictures(config.storage.spool)
    results, title = config.results, config.dicom.ae_title
    device = Device(store.device_uid(), title, __version__)
    names = [archive.name for archive in config.archives]
    audit = AuditDelivery(engine, open_target(config.audit))
    transfers, writer = _transfers(engine, config), Writer(outbox, store, pictures)

    def complete() -> float:
        now = datetime.now().astimezone()
        idle_since = now.timestamp() - results.idle_seconds
        found = outbox.complete_series(idle_since, now, device, names, heat_maps=results.heat_maps)
        return IDLE_SECONDS if found is None else 0.0

    def hand_over() -> float:
        return 0.0 if audit.deliver(time.time()) else _AUDIT_SECONDS

    def clean() -> float:
        try:
            tidy(store, spool, pictures, config.storage.retention_days, time.time())
        except OSError as error:
            # Results are sent all the same.
            log.error("what is old cannot be deleted from the spool folder: %s", error.strerror)
        return _TIDY_SECONDS

    def courier(archive: Archive) -> Callable[[], float]:
        note = partial(transfers.sent, archive.name, _host(archive))
        worker = Courier(archive.name, partial(connect, archive, title), outbox, writer, note)
        return lambda: worker.work(time.time())

    return [complete, hand_over, clean, *map(courier, config.archives)]


def _transfers(engine: Engine, config: Config) -> Transfers:
    return Transfers(AuditTrail(engine, config.dicom.ae_title), NodeQueries(engine))


def _host(archive: Archive) -> str:
    return archive.host if isinstance(archive, CStoreArchive) else urlsplit(archive.url).hostname or ""


def _repeat(job: Callable[[], float]) -> None:
    while True:
        time.sleep(job())
