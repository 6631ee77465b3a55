"""What each profile is for, told as stories on the cores: cattle, wristbands, shops, and the owner's own fob."""

import random

from core.devices import SECRET, Bench, records, silent_radio
from core.test_tag import beacons, booted
from core.test_tracker import HOUR_MS, UTC_MS, World, theft
from core.test_watches import KEY_TEXT, beacon_of
from groundcore import events
from groundcore.tag import Tag, restore
from groundnet.sim.motion_profile import MotionProfile
from groundwire import beacon, downlink, keys

DOWNLINK_KEY = keys.derive(SECRET, keys.DOWNLINK)


def causes(world) -> list[str]:
    return [item["cause"] for item in world.items("alarm")]


def press(world, which, active=1):
    world.play(world.bench.give(events.INPUT, which, active))


# --- livestock


def test_a_cow_that_left_its_pasture_is_reported_once_and_its_return_too():
    world = World(
        MotionProfile(random.Random(3)).still(60).walk(3000),
        fixed_to="livestock",
        fence_lat_e7=452761000,
        fence_lon_e7=137237000,
        fence_radius_m=200,
    )
    world.run(60)
    world.speed_mm_s = 1000
    world.run(690)  # a position each 300 s; one outside, and the next half a minute later
    assert causes(world) == ["fence"]
    assert world.texts and "outside its fence" in world.texts[0][1]
    assert not world.bench.sent(events.SIREN) and not world.bench.sent(events.CHIRP)
    world.speed_mm_s = 0
    world.place = [452761000, 137237000]
    world.run(120)
    assert causes(world) == ["fence", "fence_back"]


def test_an_animal_that_does_not_move_for_half_a_day_is_told_once():
    world = World(fixed_to="livestock", still_alarm_s=7200)
    world.run(7000)
    assert "still" not in causes(world)
    world.run(7600)
    assert causes(world).count("still") == 1


def test_an_animal_without_its_leader_has_left_the_herd():
    world = World(fixed_to="livestock", fob_key=KEY_TEXT, fob_epoch=0, herd_lost_s=600)
    for minute in range(10):
        world.play(world.bench.give(events.RADIO_RECEIVED, beacon_of(5 + minute), -90, 500))
        world.run(60)
    assert causes(world) == []
    world.run(700)
    assert causes(world) == ["herd"]


# --- wearable


def test_the_button_is_in_the_air_at_once_and_the_wearer_feels_that_somebody_knows():
    world = World(fixed_to="wearable")
    world.run(60)
    world.bench.log.clear()
    pressed_ms = world.bench.now_ms
    press(world, events.INPUT_BUTTON)
    sent_ms, (_, data, *_) = world.bench.sent(events.RADIO_SEND)[0]
    heard = beacon.decode(data)
    assert sent_ms == pressed_ms
    assert heard.flags & beacon.SOS_ACTIVE and heard.type in (beacon.SOS, beacon.FIX)
    assert causes(world) == ["sos"]
    assert [action[1] for _, action in world.bench.sent(events.BUZZ)] == [2, 5], "understood; somebody knows"
    assert "calling for help" in world.texts[0][1]
    world.run(60)
    assert len(world.bench.sent(events.RADIO_SEND)) >= 8, "every five seconds or so for a minute"
    types = {beacon.decode(action[1]).type for _, action in world.bench.sent(events.RADIO_SEND)}
    assert types == {beacon.SOS, beacon.FIX}


def test_an_opened_strap_calls_for_help():
    world = World(fixed_to="wearable")
    world.run(30)
    press(world, events.INPUT_STRAP)
    press(world, events.INPUT_STRAP)
    assert causes(world) == ["strap"]


def test_a_vehicle_has_no_help_button():
    world = World()
    world.run(30)
    press(world, events.INPUT_BUTTON)
    assert causes(world) == []


# --- sentry


def test_an_intruder_in_the_shop_at_night():
    world = World(fixed_to="sentry", exit_delay_s=20, entry_delay_s=10)
    press(world, events.INPUT_PIR)  # the owner walks out
    world.run(60)
    assert causes(world) == []
    world.bench.log.clear()
    press(world, events.INPUT_PIR)
    assert world.bench.sent(events.CHIRP) and not world.bench.sent(events.SIREN)
    world.run(12)
    assert world.bench.sent(events.SIREN)
    assert causes(world) == ["intruder"]
    assert "an intruder" in world.texts[0][1]
    world.run(120)
    for _ in range(5):
        press(world, events.INPUT_PIR)
    assert causes(world) == ["intruder"]


def test_a_shop_in_its_opening_hours_is_not_guarded():
    minute = UTC_MS // 60_000 % 1440
    world = World(
        fixed_to="sentry",
        exit_delay_s=0,
        entry_delay_s=0,
        arm_from_min=(minute + 60) % 1440,
        arm_until_min=(minute + 600) % 1440,
    )
    world.run(120)
    press(world, events.INPUT_PIR)
    world.run(60)
    assert causes(world) == []
    world.run(3700)
    press(world, events.INPUT_PIR)
    world.run(60)
    assert causes(world) == ["intruder"]


# --- every profile


def test_an_opened_case_is_told_wherever_it_happens():
    for profile, expected in (("vehicle", "tamper"), ("livestock", "tamper"), ("sentry", "tamper")):
        world = World(fixed_to=profile)
        world.run(60)
        press(world, events.INPUT_CASE)
        assert causes(world) == [expected]
        world.run(3)
        assert beacon.decode(world.bench.sent(events.RADIO_SEND)[-1][1][1]).flags & beacon.TAMPER


def test_a_broken_part_is_reported():
    world = World()
    world.run(30)
    world.play(world.bench.give(events.FAULT, "gnss", "no answer"))
    world.play(world.bench.give(events.FAULT, "gnss", ""))
    assert causes(world) == ["fault"]


# --- the owner's fob


def ridden(near: bool):
    """The bike is lifted and ridden away while the fob beacons every twenty seconds, or not."""
    world = World(theft(MotionProfile(random.Random(1)).still(300)), fob_key=KEY_TEXT)
    for number in range(24):
        world.run(20)
        if near and world.bench.now_ms > 280_000:
            world.play(world.bench.give(events.RADIO_RECEIVED, beacon_of(number), -70, 900))
    return world


def test_the_owner_rides_without_any_alarm_and_a_thief_does_not():
    assert causes(ridden(near=True)) == []
    thief = ridden(near=False)
    assert causes(thief)[0] == "lifted" and thief.bench.sent(events.SIREN)


def test_the_fob_does_not_hide_a_power_cut_or_an_opened_case():
    world = World(fob_key=KEY_TEXT)
    world.run(30)
    world.play(world.bench.give(events.RADIO_RECEIVED, beacon_of(3), -70, 900))
    world.play(world.bench.give(events.SUPPLY, 48_000))
    world.play(world.bench.give(events.SUPPLY, 0))
    press(world, events.INPUT_CASE)
    assert causes(world) == ["power_cut", "tamper"]


def test_a_paired_tracker_listens_between_its_beacons_and_others_do_not():
    listening = [action for _, action in World(fob_key=KEY_TEXT).bench.sent(events.RADIO_LISTEN)]
    assert any(action[2] == 0 for action in listening)
    alone = World()
    alone.run(60)
    assert all(action[2] for _, action in alone.bench.sent(events.RADIO_LISTEN))


# --- the tag


def wristband(**settings) -> Bench:
    bench = Bench(Tag(records("wearable", **settings)))
    bench.play(bench.give(events.BOOT, events.BOOT_POWER_ON), silent_radio)
    bench.run_until(60_000, silent_radio)
    bench.log.clear()
    return bench


def asleep(bench) -> Bench:
    """The same tag after a deep sleep."""
    bench.core = restore(bench.core.snapshot())
    assert bench.core is not None
    bench.play(bench.give(events.BOOT, events.BOOT_WAKE), silent_radio)
    return bench


def test_a_wristband_calls_within_the_press_and_through_its_sleeps():
    bench = wristband()
    bench.play(bench.give(events.INPUT, events.INPUT_BUTTON, 1), silent_radio)
    bench.play(bench.give(events.INPUT, events.INPUT_BUTTON, 0), silent_radio)
    assert bench.sent(events.BUZZ)
    for _ in range(12):
        asleep(bench)
        bench.run_until(bench.core.next_deadline(), silent_radio)
    heard = beacons(bench)
    assert heard[0][0] - 60_000 < 1000
    assert all(one.type == beacon.SOS and one.flags & beacon.SOS_ACTIVE for _, one, _ in heard)
    assert heard[-1][1].body[0] == beacon.SOS_CAUSES.index("button")
    assert len(heard) >= 12


def test_a_downlink_comforts_the_wearer():
    bench = wristband()
    order = downlink.encode(downlink.LOCATE, 1, 0, DOWNLINK_KEY)

    def answer(bench, action):
        if action[0] == events.RADIO_LISTEN:
            return (events.RADIO_RECEIVED, order, -90, 500)
        return silent_radio(bench, action)

    bench.play(bench.give(events.INPUT, events.INPUT_BUTTON, 1), answer)
    assert [action[1] for _, action in bench.sent(events.BUZZ)] == [2, 5]


def test_a_tag_says_that_its_case_is_open_until_it_is_closed():
    bench = booted()
    bench.run_until(60_000, silent_radio)
    bench.log.clear()
    bench.play(bench.give(events.INPUT, events.INPUT_CASE, 1), silent_radio)
    asleep(bench)
    bench.run_until(bench.now_ms + HOUR_MS, silent_radio)
    assert len(beacons(bench)) >= 2
    assert all(one.flags & beacon.TAMPER for _, one, _ in beacons(bench))
    bench.play(bench.give(events.INPUT, events.INPUT_CASE, 0), silent_radio)
    bench.log.clear()
    bench.run_until(bench.now_ms + HOUR_MS, silent_radio)
    assert not any(one.flags & beacon.TAMPER for _, one, _ in beacons(bench))
