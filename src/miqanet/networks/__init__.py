"""One architecture a file: MIQANet of the paper (its rivals join here)."""

from miqanet.networks.miqanet import MIQANet, MIQANetSettings, Output

__all__ = ["MIQANet", "MIQANetSettings", "Output"]
