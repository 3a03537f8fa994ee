"""Templates and the files that they name, out of packages."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_NOT_MODIFIED, _NOT_FOUND = 304, 404
_FOREVER, _ASK_AGAIN = "public, max-age=31536000, immutable", "public, no-cache"


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    media_type: str
    digest: str


class Pages:
    """The pages of an application: `templates` and `static` of its packages, the first that has a name wins.

    All files are read at the start: a name that none of them has leads nowhere.
    """

    def __init__(self, packages: Sequence[str]) -> None:
        self._files = {
            each.name: _read(each.name, each.read_bytes())
            for package in reversed(packages)
            for each in files(package).joinpath("static").iterdir()
            if each.is_file()
        }
        self._environment = Environment(
            loader=ChoiceLoader([PackageLoader(package) for package in packages]),
            autoescape=True,
            undefined=StrictUndefined,
        )
        self._environment.globals["static"] = self._url

    def page(self, template: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """Return a rendered template; values are escaped."""
        return HTMLResponse(self._environment.get_template(template).render(context), status)

    def file(self, name: str, request: Request) -> Response:
        """Return a static file; kept forever by browsers that ask for this version of it.

        Raises:
            HTTPException: 404.
        """
        found = self._files.get(name)
        if found is None:
            raise HTTPException(_NOT_FOUND)
        named = request.query_params.get("v") == found.digest
        headers = {"ETag": f'"{found.digest}"', "Cache-Control": _FOREVER if named else _ASK_AGAIN}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return Response(status_code=_NOT_MODIFIED, headers=headers)
        return Response(found.content, media_type=found.media_type, headers=headers)

    def _url(self, name: str) -> str:
        return f"/static/{name}?v={self._files[name].digest}"


def _read(name: str, content: bytes) -> _File:
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return _File(content, media_type, hashlib.sha256(content).hexdigest()[:16])
