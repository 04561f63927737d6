import os
from pathlib import Path

import pytest

from concentrator.app.certificates import SPARE_MOST, Certificates
from concentrator.model.errors import WrongArguments
from tests.support.certificates import identity


@pytest.fixture
def pems(tmp_path):
    return [Path(identity(tmp_path, f"ca{n}", is_authority=True).cert_file).read_text() for n in range(SPARE_MOST + 3)]


def test_a_certificate_is_kept_under_a_name_of_its_content_for_the_box_alone(tmp_path, pems):
    kept = Certificates(tmp_path, lambda: "").keep("mqtt-ca", pems[0])
    path = Path(kept["file"])
    assert path.read_text() == pems[0] and path.parent == tmp_path / "certificates"
    assert path.stat().st_mode & 0o777 == 0o600
    assert (kept["subject"], kept["issuer"]) == ("ca0", "ca0") and kept["until"][:2] == "20"
    assert Certificates(tmp_path, lambda: "").keep("mqtt-ca", pems[0])["file"] == kept["file"]
    assert Certificates(tmp_path, lambda: "").keep("mqtt-ca", pems[1])["file"] != kept["file"]


def test_what_is_no_certificate_is_refused_and_nothing_is_kept(tmp_path):
    for pem in (
        "nothing",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "\ud800".encode("utf-8", "replace").decode(),
    ):
        with pytest.raises(WrongArguments, match="pem: found no certificate"):
            Certificates(tmp_path, lambda: "").keep("a", pem)
    assert not (tmp_path / "certificates").exists()


def test_a_name_is_never_a_way_out_of_the_folder(tmp_path, pems):
    for name in ("../a", "a/b", "A", "", "a.b"):
        with pytest.raises(WrongArguments, match="name: found"):
            Certificates(tmp_path, lambda: "").keep(name, pems[0])


def test_those_that_nobody_uses_go_and_those_in_use_stay(tmp_path, pems):
    used = []
    certificates = Certificates(tmp_path, lambda: f'ca_file = "{used[0]}"' if used else "")
    for n, pem in enumerate(pems):
        path = Path(certificates.keep("a", pem)["file"])
        os.utime(path, (n, n))
        used = used or [path]
    left = set((tmp_path / "certificates").iterdir())
    assert used[0] in left and path in left and len(left) == SPARE_MOST + 1
