"""concentrator.wire.location: where ModemManager and gpsd say the machine is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.model.errors import Garbled
from concentrator.wire.location import Fix, from_gpsd, from_modem_manager

NMEA = ["$GPRMC,123519,A", "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47"]


def modem(**gps):
    return json.dumps({"modem": {"location": {"3gpp": {"cid": "--"}, "gps": gps}}})


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        (
            modem(longitude="11.516667", latitude="48.117300", altitude="545.4", nmea=NMEA),
            Fix(11.516667, 48.1173, 545.4, 8),
        ),
        (modem(longitude="11,5", latitude="-48,25", altitude="--", nmea=[]), Fix(11.5, -48.25)),
        (modem(longitude="--", latitude="--", altitude="--", nmea=["--"]), None),
        (modem(longitude="181", latitude="1"), None),
        (json.dumps({"modem": {"location": "--"}}), None),
        ("[]", None),
    ],
)
def test_a_mobile_modems_place(said, fix):
    assert from_modem_manager(said) == fix


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ({"class": "TPV", "mode": 3, "lat": 48.1, "lon": 11.5, "alt": 500.0, "altMSL": 545.4}, Fix(11.5, 48.1, 545.4)),
        ({"class": "TPV", "mode": 3, "lat": 48.1, "lon": 11.5, "altHAE": 590.0}, Fix(11.5, 48.1, 590.0)),
        ({"class": "TPV", "mode": 2, "lat": -1, "lon": -2}, Fix(-2.0, -1.0)),
        ({"class": "TPV", "mode": 1}, None),
        ({"class": "SKY", "satellites": []}, None),
        ({"class": "TPV", "mode": 3, "lat": True, "lon": 11.5}, None),
    ],
)
def test_a_receivers_place(said, fix):
    assert from_gpsd(json.dumps(said)) == fix


def test_what_is_no_json_is_garbled():
    for reads in (from_gpsd, from_modem_manager):
        with pytest.raises(Garbled):
            reads("error: no location")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda each: (
            st.lists(each)
            | st.dictionaries(
                st.sampled_from(
                    ["modem", "location", "gps", "longitude", "latitude", "nmea", "class", "mode", "lat", "lon", "alt"]
                ),
                each,
            )
        ),
    )
)
def test_any_json_is_a_place_or_none(said):
    text = json.dumps(said)
    for reads in (from_gpsd, from_modem_manager):
        found = reads(text)
        assert found is None or (abs(found.longitude) <= 180 and abs(found.latitude) <= 90)
