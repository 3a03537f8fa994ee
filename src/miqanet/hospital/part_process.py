"""A part of a node as a process: `python -m miqanet.hospital.part_process PART CONFIG`.

It ends with the process that started it, which holds the other end of its standard input; and it ends whole
when one of its threads fails, to be started anew.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

from miqanet.hospital.config import read_config
from miqanet.hospital.part import Part
from miqanet.hospital.parts import run
from miqanet.hospital.settings_table import ConfigError
from miqanet.screening.card import WeightsError

log = logging.getLogger(__name__)


def main(part: Part, config: Path) -> None:
    """Run a part until it fails or is no longer wanted."""
    logging.basicConfig(
        level=logging.INFO, format=f"%(asctime)s {part} %(levelname)s %(message)s", stream=sys.stderr
    )
    # alembic and others tell of what is no news.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    sys.excepthook = _fail
    threading.excepthook = lambda failure: _fail(failure.exc_type, failure.exc_value, failure.exc_traceback)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        run(part, read_config(config))
    except (ConfigError, WeightsError) as error:
        log.critical("%s", error)
        os._exit(2)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _fail(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """Say where it failed, but not in the error's words: they may quote an image, and so a patient."""
    what = f"{kind.__name__} ({error.strerror})" if isinstance(error, OSError) else kind.__name__
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(trace)]
    log.critical("%s at %s", what, " > ".join(places))
    os._exit(1)


if __name__ == "__main__":
    main(Part(sys.argv[1]), Path(sys.argv[2]))
