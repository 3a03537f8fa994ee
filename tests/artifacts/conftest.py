from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture(scope="session")
def disc() -> NDArray[np.float32]:
    """An ellipse with a bright inner disc in dark air, 128 x 120, edges one pixel soft, signal up to 100."""
    y, x = np.ogrid[:128, :120]
    body = np.clip(30 * (1 - np.hypot((y - 62) / 40, (x - 61) / 34)), 0, 1)
    inner = np.clip(9.5 - np.hypot(y - 50, x - 66), 0, 1)
    return (60 * body + 40 * inner).astype(np.float32)
