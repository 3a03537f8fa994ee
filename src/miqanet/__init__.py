"""Can a radiologist use this MR image? Diagnostic image quality with MIQANet (Chen et al., VCIP 2022)."""

from miqanet.image import MRImage
from miqanet.verdict import Finding, Quality, Verdict

__version__ = "0.1.0"

__all__ = ["Finding", "MRImage", "Quality", "Verdict", "__version__"]
