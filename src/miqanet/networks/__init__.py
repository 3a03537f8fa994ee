"""One architecture a file: MIQANet of the paper and the networks it is compared with."""

from miqanet.networks.miqanet import MIQANet, MIQANetSettings, Output
from miqanet.networks.registry import NETWORKS, architecture, judge, make_network

__all__ = ["NETWORKS", "MIQANet", "MIQANetSettings", "Output", "architecture", "judge", "make_network"]
