"""Can a radiologist use this MR image? Diagnostic image quality with MIQANet (Chen et al., VCIP 2022)."""

from typing import TYPE_CHECKING, Any

from miqanet.image import MRImage
from miqanet.verdict import Finding, Quality, Verdict

if TYPE_CHECKING:
    from miqanet.screening.screener import Screener

__version__ = "0.1.0"

__all__ = ["Finding", "MRImage", "Quality", "Screener", "Verdict", "__version__"]


def __getattr__(name: str) -> Any:
    # Screening brings OpenVINO, pydicom and nibabel along, which most who import a record can do without.
    if name == "Screener":
        from miqanet.screening.screener import Screener

        return Screener
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
