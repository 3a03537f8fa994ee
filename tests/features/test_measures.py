import numpy as np
import pytest

from miqanet.artifacts import ARTIFACTS, Blur, Noise
from miqanet.artifacts.ghosting import Ghosting
from miqanet.artifacts.phantom import phantom
from miqanet.features.measures import NAMES, Measures, measure, measures

IN_AIR = ("qi1", "qi2", "snr_dietrich", "fber", "nyquist_ghost_ratio")


@pytest.fixture(scope="module")
def head() -> np.ndarray:
    return Noise(snr=30, seed=1).apply(phantom())


@pytest.fixture(scope="module")
def clean(head) -> Measures:
    return measure(head)


def test_measures_are_those_of_the_field_in_a_fixed_order(head, clean):
    assert NAMES == (
        "qi1",
        "qi2",
        "snr",
        "snr_dietrich",
        "fber",
        "efc",
        "nyquist_ghost_ratio",
        "sharpness",
    )
    vector = measures(head)
    assert vector.dtype == np.float64
    assert vector.tolist() == [getattr(clean, name) for name in NAMES]
    assert np.isfinite(vector).all()


@pytest.mark.parametrize(
    ("scale", "offset"), [(1e-4, 0), (4096, 0), (1000, -5000)], ids=["small", "large", "negative"]
)
def test_unit_and_zero_of_intensity_do_not_matter(head, scale, offset):
    least = head - head.min()
    assert measures(least * scale + offset) == pytest.approx(measures(least), rel=1e-3, abs=5e-4)


@pytest.mark.parametrize("snr", [8, 20, 60])
def test_snr_in_air_is_that_of_the_simulated_noise(snr):
    body = phantom()
    image = Noise(snr=snr, seed=3).apply(body)
    noise = np.median(body[body > 0.1]) / snr
    assert measure(image).snr_dietrich == pytest.approx(body[body > 0.02].mean() / noise, rel=0.15)


@pytest.mark.parametrize("shape", [(96, 96), (129, 257)])
def test_signal_and_energy_are_those_inside_whatever_the_size_of_the_border(shape):
    rng = np.random.default_rng(4)
    y, x = np.indices(shape)
    body = np.hypot(y / shape[0] - 0.5, x / shape[1] - 0.5) < 0.3
    image = np.hypot(100.0 * body + rng.normal(0, 4, shape), rng.normal(0, 4, shape))
    found = measure(image)
    assert found.snr_dietrich == pytest.approx(25, rel=0.05)
    assert found.fber == pytest.approx(1 + 25**2 / 2, rel=0.05)


def test_snr_in_the_body_is_that_of_noise_on_flat_tissue():
    rng = np.random.default_rng(4)
    image = np.full((128, 128), 50.0) + rng.normal(0, 2, (128, 128))
    image[:8] = image[-8:] = np.hypot(rng.normal(0, 2, (8, 128)), rng.normal(0, 2, (8, 128)))
    assert measure(image).snr == pytest.approx(25, rel=0.1)


def test_energy_ratio_is_that_of_two_levels():
    rng = np.random.default_rng(5)
    air, body = rng.uniform(0.5, 1.5, (256, 256)), rng.uniform(99, 101, (256, 256))
    image = air.copy()
    image[64:192, 64:192] = body[64:192, 64:192]
    assert measure(image).fber == pytest.approx(1e4 / (1 + 1 / 12), rel=0.01)


def test_entropy_is_least_in_one_pixel_and_greatest_where_all_are_alike():
    point, even = np.zeros((64, 64)), np.ones((64, 64))
    point[30, 30] = 1
    even[0, 0] = 1.001
    assert measure(point).efc == pytest.approx(0, abs=1e-6)
    assert measure(even).efc == pytest.approx(1, abs=1e-3)


def test_entropy_follows_its_equation(head):
    share = head.astype(np.float64) / np.sqrt(np.sum(head.astype(np.float64) ** 2))
    greatest = np.sqrt(head.size) * np.log(np.sqrt(head.size))
    assert measure(head).efc == pytest.approx(-np.sum(share * np.log(share)) / greatest, rel=1e-4)


@pytest.mark.parametrize("axis", [0, 1])
def test_ghost_at_half_the_field_of_view_is_measured_along_either_axis(axis):
    rng = np.random.default_rng(6)
    image = np.zeros((256, 256))
    image[96:160, 96:160] = 100
    image += 0.06 * np.roll(image, 128, axis)
    image = np.hypot(image + rng.normal(0, 0.5, image.shape), rng.normal(0, 0.5, image.shape))
    # Noise adds less to the mean of a ghost than to that of air, which has nothing else.
    noise = 0.5 * np.sqrt(np.pi / 2)
    assert measure(image).nyquist_ghost_ratio == pytest.approx((np.hypot(6, 0.5) - noise) / 100, rel=0.05)


def test_simulated_epi_ghost_shows(head, clean):
    ghosting = Ghosting(
        source="nyquist", phase_encode_axis=0, lines_per_cycle=2, amplitude=0, phase_deg=12, seed=1
    )
    assert measure(ghosting.apply(head)).nyquist_ghost_ratio > 5 * clean.nyquist_ghost_ratio + 0.01


@pytest.mark.parametrize(
    ("kind", "name", "sign"),
    [
        ("noise", "snr", -1),
        ("noise", "snr_dietrich", -1),
        ("noise", "fber", -1),
        ("noise", "efc", 1),
        ("blur", "sharpness", -1),
        ("low_resolution", "sharpness", -1),
        ("motion", "efc", 1),
        ("motion", "fber", -1),
        ("ghosting", "fber", -1),
    ],
)
def test_artifact_moves_the_measure_that_should_tell_it(head, clean, kind, name, sign):
    moved = []
    for seed in range(5):
        spoiled = ARTIFACTS[kind].draw(np.random.default_rng(seed), head.shape).at(0.5).apply(head)
        moved.append(sign * (getattr(measure(spoiled), name) - getattr(clean, name)))
    assert np.nanmedian(moved) > 0


def test_stronger_blur_is_less_sharp(head):
    rng = np.random.default_rng(7)
    blur = Blur.draw(rng, head.shape)
    sharp = [measure(blur.at(severity).apply(head)).sharpness for severity in (0, 0.3, 0.6, 1)]
    assert sharp == sorted(sharp, reverse=True)


@pytest.mark.parametrize(
    "image", [phantom(), np.linspace(0.3, 1, 64**2).reshape(64, 64)], ids=["blanked", "filled"]
)
def test_without_air_what_needs_air_is_undefined(image):
    found = measure(image)
    assert all(np.isnan(getattr(found, name)) for name in IN_AIR)
    assert all(np.isfinite(getattr(found, name)) for name in set(NAMES) - set(IN_AIR))


@pytest.mark.parametrize("image", [np.zeros((7, 300)), np.full((64, 64), 3.0)], ids=["strip", "constant"])
def test_image_that_shows_nothing_has_no_measures(image):
    assert np.isnan(measures(image)).all()


@pytest.mark.parametrize("shape", [(8, 8), (9, 31), (63, 130), (257, 255)])
def test_odd_shapes_are_measured(shape):
    image = np.random.default_rng(8).random(shape)
    assert 0 < measure(image).efc <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float64])
def test_any_type_of_number_will_do(head, dtype):
    image = (head * 100).astype(dtype)
    assert measures(image).tolist() == measures(image.astype(np.float32)).tolist()


def test_digits_beyond_single_precision_count(head):
    image = np.round(1000 * (head - head.min())).astype(np.int32)
    assert measure(image - 2**27) == measure(image)
    assert measure(image * 1e300) == measure(image)


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="two axes"):
        measure(np.zeros((3, 64, 64)))
    with pytest.raises(ValueError, match="NaN"):
        measure(np.full((64, 64), np.nan))


def test_image_is_left_as_it_is(head):
    before = head.copy()
    measure(head)
    assert np.array_equal(head, before)
