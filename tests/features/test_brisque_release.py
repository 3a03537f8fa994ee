from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.svm import SVR

from miqanet.features import brisque
from miqanet.features.brisque_release import ReleasedBrisque

RHO = -153.591
GAMMA = 0.05


@pytest.fixture
def features() -> np.ndarray:
    """(40, 36) of a training set; the last never varies."""
    values = np.random.default_rng(0).normal(size=(40, 36)) * np.arange(1, 37)
    values[:, 35] = 3
    return np.round(values, 6)


@pytest.fixture
def release(tmp_path: Path, features: np.ndarray) -> tuple[Path, Path, SVR]:
    """Files as libsvm writes them, of a regression that scikit-learn (which is libsvm, too) fitted."""
    least, greatest = features.min(axis=0), features.max(axis=0)
    scaled = np.zeros_like(features)
    scaled[:, :35] = -1 + 2 * (features - least)[:, :35] / (greatest - least)[:35]
    scaled[0, 4] = 0  # what is zero is not written
    machine = SVR(gamma=GAMMA, C=10).fit(scaled, 50 + 20 * scaled[:, 0] + 5 * scaled[:, 1] ** 2)
    ranges, model = tmp_path / "allrange", tmp_path / "allmodel"
    lines = ["x", "-1 1", *(f"{i + 1} {least[i]:.17g} {greatest[i]:.17g}" for i in range(35))]
    ranges.write_text("\n".join(lines) + "\n")
    header = ["svm_type epsilon_svr", "kernel_type rbf", f"gamma {GAMMA}", "nr_class 2"]
    header += [f"total_sv {len(machine.support_)}", f"rho {-machine.intercept_[0]:.17g}", "SV"]
    vectors = []
    for weight, vector in zip(machine.dual_coef_[0], machine.support_vectors_, strict=True):
        pairs = " ".join(f"{i + 1}:{value:.17g}" for i, value in enumerate(vector) if value != 0)
        vectors.append(f"{weight:.17g} {pairs} ")
    model.write_text("\n".join(header + vectors) + "\n")
    return model, ranges, machine


def test_scores_are_libsvms(release: tuple[Path, Path, SVR], features: np.ndarray) -> None:
    model, ranges, machine = release
    released = ReleasedBrisque.load(model, ranges)
    least, greatest = features.min(axis=0), features.max(axis=0)
    # One beyond the ranges of training, too: nothing is clipped.
    for values in (features[3], features[7], 1.5 * features[9]):
        scaled = np.zeros(36)
        scaled[:35] = -1 + 2 * (values - least)[:35] / (greatest - least)[:35]
        # The release writes six digits.
        assert released.score(values) == pytest.approx(machine.predict(scaled[None])[0], abs=2e-3)


def test_a_score_by_hand(tmp_path: Path) -> None:
    (tmp_path / "allrange").write_text("x\n-1 1\n1 0 4\n2 10 20\n")
    (tmp_path / "allmodel").write_text(
        f"svm_type epsilon_svr\nkernel_type rbf\ngamma {GAMMA}\nnr_class 2\ntotal_sv 2\nrho {RHO}\nSV\n"
        "100 1:1 2:-1 \n-50 2:0.5 \n"
    )
    released = ReleasedBrisque.load(str(tmp_path / "allmodel"), str(tmp_path / "allrange"))
    features = np.zeros(36)
    features[:2] = 1, 15.00000049  # scaled: -0.5 and, of six decimals, 0
    expected = 100 * np.exp(-GAMMA * (1.5**2 + 1)) - 50 * np.exp(-GAMMA * (0.5**2 + 0.5**2)) - RHO
    assert released.score(features) == pytest.approx(expected, abs=1e-12)


def test_an_image_that_defines_little_has_no_score(release: tuple[Path, Path, SVR]) -> None:
    released = ReleasedBrisque.load(*release[:2])
    assert np.isnan(released.score(brisque(np.zeros((16, 16)))))


def test_other_features_are_refused(release: tuple[Path, Path, SVR]) -> None:
    released = ReleasedBrisque.load(*release[:2])
    with pytest.raises(ValueError, match=r"36 features, not shape \(24,\)"):
        released.score(np.zeros(24))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rbf", "linear", "no epsilon-SVR with an RBF kernel"),
        ("epsilon_svr", "c_svc", "no epsilon-SVR with an RBF kernel"),
        ("gamma 0.05\n", "", "no model"),
        ("\nSV\n", "\n", "no model"),
        (" 1:", " 37:", "no model"),
        ("total_sv ", "total_sv 9", "no model"),
    ],
)
def test_another_model_is_refused_by_its_name(
    release: tuple[Path, Path, SVR], old: str, new: str, said: str
) -> None:
    model, ranges, _ = release
    text = model.read_text()
    assert old in text
    model.write_text(text.replace(old, new))
    with pytest.raises(ValueError, match=f"allmodel.*{said}"):
        ReleasedBrisque.load(model, ranges)


def test_a_model_without_support_vectors_is_refused(release: tuple[Path, Path, SVR]) -> None:
    model, ranges, _ = release
    model.write_text("svm_type epsilon_svr\nkernel_type rbf\ngamma 0.05\ntotal_sv 0\nrho 0\nSV\n")
    with pytest.raises(ValueError, match="allmodel holds no model"):
        ReleasedBrisque.load(model, ranges)


@pytest.mark.parametrize("text", ["", "y\n-1 1\n", "x\n-1 1\n0 1 2\n", "x\n-1 1\n1 2\n", "x\n-1\n1 2 3\n"])
def test_other_ranges_are_refused_by_their_name(release: tuple[Path, Path, SVR], text: str) -> None:
    model, ranges, _ = release
    ranges.write_text(text)
    with pytest.raises(ValueError, match="allrange holds no ranges"):
        ReleasedBrisque.load(model, ranges)
