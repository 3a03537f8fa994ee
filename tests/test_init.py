import subprocess
import sys

import pytest

import miqanet


def test_all_is_true() -> None:
    for name in miqanet.__all__:
        assert getattr(miqanet, name) is not None
    namespace: dict[str, object] = {}
    exec("from miqanet import *", namespace)  # noqa: S102
    assert set(miqanet.__all__) <= set(namespace)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = miqanet.no_such_name


def test_import_is_light() -> None:
    program = (
        "import sys, miqanet; "
        "assert not {'openvino', 'pydicom', 'nibabel', 'pyarrow', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
