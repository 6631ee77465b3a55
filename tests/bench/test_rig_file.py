"""A rig's description: the reference one is whole, and each mistake is named with its place."""

import tomllib
from pathlib import Path

import pytest
from groundnet.bench import quantity, rig_diagram, rig_file
from groundnet.errors import GroundnetError

REFERENCE = Path(__file__).resolve().parents[2] / "hardware" / "rig" / "county_bench.toml"


@pytest.fixture
def data() -> dict:
    return tomllib.loads(REFERENCE.read_text())


def test_the_reference_rig_is_read():
    rig = rig_file.read(REFERENCE)
    supply = rig.devices["tag"].attached["supply"]
    assert (supply.volts, supply.limit_a) == (3.6, 0.3)
    assert rig.paths[0].fixed_db == 60.0
    assert rig.instruments["pins"].baudrate == 115200


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda rig: rig["devices"].clear(), "devices: there is none"),
        (lambda rig: rig["devices"]["tag"].pop("serial"), "devices.tag.serial: is missing"),
        (lambda rig: rig["instruments"]["supply"].pop("port"), "instruments.supply.port: is missing"),
        (lambda rig: rig["devices"]["tag"].update(role="cow"), "devices.tag.role: there is no 'cow'"),
        (lambda rig: rig["devices"]["tag"].update(colour="red"), "devices.tag: 'colour' means nothing"),
        (lambda rig: rig["instruments"]["meter"].update(driver="abacus"), "there is no 'abacus'"),
        (lambda rig: rig["instruments"]["meter"].update(baudrate="fast"), "'fast' is no baud rate"),
        (lambda rig: rig["devices"]["tag"]["supply"].update(volts="300 mA"), "'300 mA' is not a voltage"),
        (lambda rig: rig["devices"]["tag"]["supply"].update(limit=0.3), "0.3 is not a current"),
        (
            lambda rig: rig["devices"]["tag"]["supply"].update(instrument="sun"),
            "there is no instrument 'sun'",
        ),
        (
            lambda rig: rig["devices"]["tag"]["supply"].update(instrument="relays"),
            "a lcus-relay cannot do that",
        ),
        (lambda rig: rig["devices"]["tag"]["motion"].pop("pin"), "devices.tag.motion.pin: None is no number"),
        (
            lambda rig: rig["devices"]["wristband"]["strap"].update(channel=1),
            "is taken by devices.wristband.button",
        ),
        (lambda rig: rig["devices"]["base"].update(serial="socket://192.168.10.20:5025"), "is taken by"),
        (lambda rig: rig["paths"][0].update(between=["tag", "moon"]), "names no two devices"),
        (lambda rig: rig["paths"][0].update(fixed="60 V"), "'60 V' is not an attenuation"),
        (lambda rig: rig.update(paths={}), "paths: is no list"),
        (lambda rig: rig["devices"].update(tag=3), "devices.tag: 3 is no table"),
        (lambda rig: rig["devices"]["wristband"]["button"].update(active_level=2), "2 is no level"),
    ],
)
def test_a_mistake_is_named_with_its_place(data, change, complaint):
    change(data)
    with pytest.raises(GroundnetError) as caught:
        rig_file.parse(data)
    assert complaint in str(caught.value.cause)
    assert caught.value.action


def test_a_file_that_is_none_is_named(tmp_path):
    with pytest.raises(GroundnetError, match="cannot be read"):
        rig_file.read(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("name = [")
    with pytest.raises(GroundnetError, match=r"bad\.toml"):
        rig_file.read(tmp_path / "bad.toml")


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("3.6 V", "V", 3.6),
        ("500 mA", "A", 0.5),
        ("20uA", "A", 20e-6),
        ("-3 dB", "dB", -3.0),
        ("1.5 ks", "s", 1500.0),
    ],
)
def test_quantities(text, unit, value):
    assert quantity.read(text, unit, "here") == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "V", "3.6", 3.6, "3.6 A", "3 mdB", "1e3 V", None, True])
def test_what_is_no_voltage(text):
    with pytest.raises(GroundnetError, match="is not"):
        quantity.read(text, "dB" if text == "3 mdB" else "V", "here")


def test_the_picture_is_what_the_description_gives():
    assert REFERENCE.with_name("wiring.svg").read_text() == rig_diagram.svg(rig_file.read(REFERENCE))
