"""Settings that a bundle brings: judged by the firmware's own table, in the manifest, and in force on the device."""

import functools

import pytest
from groundnet.bundle import build, container, diff
from groundnet.image import settings_table
from groundnet.image.settings_table import (
    GivenTwice,
    NotANumber,
    NotASetting,
    OutOfRange,
    SecretSetting,
    UnknownRegion,
    UnknownSetting,
)
from groundnet.sim import groundcore_runtime
from groundnet.sim.boardfs import BoardFs
from hypothesis import given
from hypothesis import strategies as st
from sim import boards

device_settings = groundcore_runtime.load("settings")
TABLE, PROFILES = settings_table.read()


@functools.cache
def bundle(*settings: str) -> container.Bundle:
    return container.parse(build.build("tag", version="1.0.0", settings=settings))


def test_the_table_is_read_as_the_device_has_it():
    assert PROFILES == device_settings.PROFILES
    assert list(TABLE) == list(device_settings.TABLE)
    for name, (_, default, *limits) in device_settings.TABLE.items():
        mine = TABLE[name]
        assert mine.default == default
        if isinstance(default, str):
            assert [mine.high, mine.secret] == limits
        else:
            assert [mine.low, mine.high, mine.secret] == [*limits, False]


def test_the_regions_are_those_of_the_device():
    assert settings_table.regions() == tuple(groundcore_runtime.load("region").PLANS)


@given(st.sampled_from(sorted(TABLE)), st.integers(-(2**32), 2**32).map(str) | st.text(max_size=70))
def test_a_value_is_taken_exactly_where_the_device_takes_it(name, text):
    wanted = device_settings.parse(name, text)
    try:
        assert TABLE[name].parse(text) == wanted
    except settings_table.SettingError as error:
        assert wanted is None or not text.isprintable()
        assert error.cause.zh and error.action.zh


@pytest.mark.parametrize(
    ("texts", "error"),
    [
        (["siren_s"], NotASetting),
        (["sirens=3"], UnknownSetting),
        (["siren_s=loud"], NotANumber),
        (["siren_s=31"], OutOfRange),
        (["region=" + "x" * 17], OutOfRange),
        (["region=atlantis"], UnknownRegion),
        (["wifi_key=12345678"], SecretSetting),
        (["siren_s=3", "siren_s=4"], GivenTwice),
    ],
)
def test_each_way_to_be_wrong_has_its_own_error(texts, error):
    with pytest.raises(error) as caught:
        build.build("tag", settings=texts)
    assert caught.value.cause.zh and caught.value.action.zh


def test_what_changes_nothing_is_left_out():
    """`armed=1` is the table's default, but not that of every profile."""
    assert settings_table.bundled_defaults(["siren_s=20", "armed=1", "region=cn470"]) == {
        "armed": 1,
        "region": "cn470",
    }
    assert container.parse(build.build("tag", version="1.0.0", settings=["siren_s=20"])) == bundle()


def test_a_default_of_the_table_counts_where_the_board_has_another():
    text = f"battery_empty_mv={TABLE['battery_empty_mv'].default}"
    on_board = container.parse(build.build("tag", "wsl3_wearable", version="1.0.0", settings=[text]))
    assert on_board.manifest["settings"] == {"battery_empty_mv": 3000}
    assert bundle(text).manifest["settings"] == {}


def test_they_are_in_the_manifest_and_change_one_module_of_the_image():
    changed = diff.diff(bundle(), bundle("moving_interval_s=45", "region=cn470"))
    assert changed.settings == {"moving_interval_s": (None, 45), "region": (None, "cn470")}
    assert not changed.entries
    assert [change.path for change in changed.files] == ["/groundcore/settings.mpy"]


def test_they_are_in_force_on_the_device_until_somebody_writes_others():
    script = """
from groundcore.settings import Settings
for record, profile in ((None, "vehicle"), (None, "livestock"), (b"moving_interval_s=30", "livestock")):
    device = Settings(record, profile)
    print(device.text("region"), device["moving_interval_s"], device["still_after_s"])
"""
    image = bundle("moving_interval_s=45", "region=cn470").image
    with boards.board(files=BoardFs({"/main.py": script.encode()}, rom=image)) as device:
        assert boards.run(device) == ["cn470 45 120", "cn470 45 600", "cn470 30 600"]
