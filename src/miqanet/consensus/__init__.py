"""Votes to labels: majority and Dawid-Skene, and how well raters agree. NumPy in, NumPy out, no files."""

from miqanet.consensus.agreement import agreement_by_item, fleiss_kappa, gwet_ac1, percent_agreement
from miqanet.consensus.alpha import Level, krippendorff_alpha
from miqanet.consensus.bootstrap import Estimate, estimate, estimates, with_interval
from miqanet.consensus.dawid_skene import DawidSkene, dawid_skene
from miqanet.consensus.human_frame import against_others, ceiling, majority_of_others, model_against_others
from miqanet.consensus.leave_one_out import leave_one_out
from miqanet.consensus.majority import Labels, majority
from miqanet.consensus.pairs import cohen_kappas, contingency, mean_cohen_kappa, pairwise_agreement
from miqanet.consensus.rater_report import RaterReport, biases, rater_reports
from miqanet.consensus.ratings import Ratings
from miqanet.consensus.votes import Vote, intra_rater_kappa, repeated_readings, tabulate
from miqanet.consensus.weights import rater_weights

__all__ = [
    "DawidSkene",
    "Estimate",
    "Labels",
    "Level",
    "RaterReport",
    "Ratings",
    "Vote",
    "against_others",
    "agreement_by_item",
    "biases",
    "ceiling",
    "cohen_kappas",
    "contingency",
    "dawid_skene",
    "estimate",
    "estimates",
    "fleiss_kappa",
    "gwet_ac1",
    "intra_rater_kappa",
    "krippendorff_alpha",
    "leave_one_out",
    "majority",
    "majority_of_others",
    "mean_cohen_kappa",
    "model_against_others",
    "pairwise_agreement",
    "percent_agreement",
    "rater_reports",
    "rater_weights",
    "repeated_readings",
    "tabulate",
    "with_interval",
]
