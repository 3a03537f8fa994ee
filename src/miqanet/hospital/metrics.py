"""Figures for Prometheus: what waits, what was judged, how the web side is asked.

Those of the node are read from its database when Prometheus asks, so that they hold for all processes and
after any restart.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from miqanet.hospital.node_schema import AuditMessage, ScoreCount, Series
from miqanet.hospital.rest_figures import NodeFigures

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_ELSEWHERE: Final = "elsewhere"


class NodeMetrics:
    """All figures of a node.

    Args:
        engine: of the node's database.
        archives: names of those of the configuration.
        spool: the node's folder.
    """

    def __init__(self, engine: Engine, archives: Sequence[str], spool: Path) -> None:
        self._engine, self._archives, self._spool = engine, archives, spool
        self._figures = NodeFigures(engine)
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self.requests = Histogram(
            "miqanet_http_request_seconds",
            "Time until a request was answered",
            ["method", "route", "status"],
            registry=self._registry,
        )

    def text(self) -> bytes:
        """Return all figures in Prometheus' format."""
        return bytes(generate_latest(self._registry))

    def describe(self) -> list[Metric]:
        """Return nothing: what is collected is not known before it is read."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read the figures of the node from its database."""
        backlog = self._figures.backlog(time.time())
        yield _gauge("miqanet_images_waiting", "Images without a verdict", backlog.images)
        yield _gauge(
            "miqanet_oldest_image_wait_seconds",
            "How long the image that waits for longest has waited",
            backlog.seconds,
        )
        with Session(self._engine) as session:
            messages = session.scalar(select(func.count()).select_from(AuditMessage))
            yield _gauge(
                "miqanet_audit_messages_waiting",
                "Audit messages that their target does not have",
                messages or 0,
            )
            received = session.scalar(select(func.sum(Series.received_images)))
            yield _counter("miqanet_images_received", "Images that have come in", received or 0)
            yield from _verdicts(session)
        yield self._documents()
        free = shutil.disk_usage(self._spool).free
        yield _gauge("miqanet_spool_free_bytes", "Room on the disk of the spool folder", free)

    def _documents(self) -> Metric:
        family = GaugeMetricFamily(
            "miqanet_documents_waiting", "Documents that an archive does not have", labels=["archive"]
        )
        for archive in self._figures.archives(self._archives):
            family.add_metric([archive.name], archive.waiting)
        return family


class RequestTimes:
    """Times requests, by the pattern of their address and never by the address itself."""

    def __init__(self, app: ASGIApp, metrics: NodeMetrics) -> None:
        self._app, self._times = app, metrics.requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        begin = time.perf_counter()

        async def send_noticed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noticed)
        finally:
            route: Any = scope.get("route")
            pattern = getattr(route, "path", _ELSEWHERE)
            labels = (_method(scope), pattern, str(status))
            self._times.labels(*labels).observe(time.perf_counter() - begin)


def _method(scope: Scope) -> str:
    """Return the method, of which a client may invent as many as it likes."""
    method = str(scope["method"])
    return method if method in ("GET", "HEAD", "POST") else "other"


def _verdicts(session: Session) -> Iterator[Metric]:
    rows = session.execute(
        select(
            ScoreCount.scanner,
            func.sum(ScoreCount.judged),
            func.sum(ScoreCount.low),
            func.sum(ScoreCount.review),
        ).group_by(ScoreCount.scanner)
    ).all()
    for position, (name, about) in enumerate(
        (
            ("miqanet_verdicts", "Verdicts"),
            ("miqanet_low_verdicts", "Verdicts of low quality"),
            ("miqanet_review_verdicts", "Verdicts that a person should look at"),
        ),
        start=1,
    ):
        family = CounterMetricFamily(name, about, labels=["scanner"])
        for row in rows:
            family.add_metric([row[0]], row[position])
        yield family


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)


def _counter(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(name, about, value=value)
