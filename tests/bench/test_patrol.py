"""A patrol walks up to a stolen tag with a finder: real firmware on both, a body that shadows, a house in the way."""

import math

import pytest
from groundnet.collector.outbound.lending import lend
from groundnet.link.finder import at_finder
from groundwire import beacon

WALK_MPS = 1.4
TURN_DPS = 10.0  # 36 s for one turn, as the hand on the screen
BANDS = ("far", "100 m", "30 m", "10 m", "near")
DIAL = (106, 40)  # pixels; its circle has a radius of 15


def says(bench, sender, flag) -> bool:
    heard = bench.heard(sender)
    return bool(heard) and bool(beacon.decode(heard[-1].payload).flags & flag)


def load(bench, headquarters, finder, device, hours=8):
    """At the cable, before the patrol sets out: what `groundnet finder load` does."""
    now_ms = bench.scene.world.unix_ms
    loan = lend(headquarters.database, device.fitted.device_id, device.fitted.secret, hours, "p", "", now_ms)

    def lent(port):
        with at_finder(port, lambda _: finder.fitted.secret) as found:
            found.load(
                loan.code,
                loan.first_epoch,
                loan.eids,
                loan.expires_ms,
                loan.budget_s,
                loan.commands,
                now_ms,
            )

    finder.at_cable(lent)
    bench.run(5)
    return loan


def held(finder, line) -> str:
    """One line of the screen."""
    lines = finder.screen()
    return lines[line] if lines else ""


def band(finder) -> str:
    return held(finder, 4)


def text(finder) -> str:
    return held(finder, 7)


def walk(bench, finder, *places):
    """Straight from place to place, looking ahead; the bands that the screen showed, one after the other."""
    seen = []
    x, y = finder.place.metres(bench.scene.world.now_us)
    for to_x, to_y in places:
        finder.faces(math.degrees(math.atan2(to_x - x, to_y - y)))
        finder.carry_to(to_x, to_y, WALK_MPS)
        end_s = bench.now_s + math.hypot(to_x - x, to_y - y) / WALK_MPS
        while bench.now_s < end_s:
            bench.run(min(2.0, end_s - bench.now_s + 0.01))
            shown = band(finder)
            if shown in BANDS and shown not in seen[-1:]:
                seen.append(shown)
        x, y = to_x, to_y
    return seen


def arrow_deg(finder) -> float:
    """Where the mark on the dial points, clockwise from its top."""
    rows = finder.picture()
    lit = [
        (x - DIAL[0], DIAL[1] - y)
        for y in range(DIAL[1] - 12, DIAL[1] + 13)
        for x in range(DIAL[0] - 12, DIAL[0] + 13)
        if rows[y][x] == "#" and math.hypot(x - DIAL[0], y - DIAL[1]) < 12
    ]
    return math.degrees(math.atan2(sum(x for x, _ in lit), sum(y for _, y in lit))) % 360


def turn_round(bench, finder, start_deg):
    """Once round in step with the hand on the screen, and back to where it began."""
    finder.faces(start_deg)
    finder.contact("button").press(0.3)
    bench.until(lambda: text(finder) == "turn with hand", 90, "the hand")
    finder.faces(start_deg, TURN_DPS)
    bench.run(360 / TURN_DPS)
    finder.faces(start_deg)
    bench.until(lambda: text(finder) != "turn with hand", 30, "the end of the turn")


@pytest.mark.bad_days(2)
@pytest.mark.fitted("base", at=(300.0, 0.0))
@pytest.mark.fitted("finder", at=(-200.0, 30.0))
def test_a_patrol_finds_the_tag_behind_the_house(bench, headquarters, base, tag, finder):
    bench.run(30)
    tag.motion.does("ride", 60)
    headquarters.report_theft(tag)
    bench.until(lambda: says(bench, tag, beacon.LOST), 900, "lost mode")
    loan = load(bench, headquarters, finder, tag)
    assert held(finder, 0).startswith(loan.code)
    bench.obstruct("tag", "finder", 10)  # the house
    base.power.cut()  # and no network from here on

    seen = walk(bench, finder, (-40.0, 25.0))
    assert seen and seen == sorted(seen, key=BANDS.index), seen
    bench.obstruct("tag", "finder", 0)  # round the corner
    seen += walk(bench, finder, (-15.0, 5.0))
    assert BANDS.index(seen[-1]) > BANDS.index(seen[0])
    bench.until(lambda: band(finder) in ("30 m", "10 m", "near"), 90, "a band that says it is close")

    for _ in range(3):  # one that is not clear is turned again, as the guide says
        turn_round(bench, finder, start_deg=200.0)
        if text(finder) == "it is there":
            break
    assert text(finder) == "it is there"
    tag_deg = math.degrees(math.atan2(15.0, -5.0))
    assert abs((arrow_deg(finder) + 200.0 - tag_deg + 180) % 360 - 180) <= 45

    finder.contact("button").press(2.0)
    bench.until(lambda: says(bench, tag, beacon.SIREN), 150, "a tag that says it sounds")
    bench.until(lambda: held(finder, 0).startswith(loan.code + "!"), 15, "the same on the screen")
    assert says(bench, tag, beacon.LOST)


@pytest.mark.fitted("tracker", at=(20.0, 0.0), armed=0)
def test_a_tracker_without_any_network_hears_of_its_theft_and_sounds_on_the_patrols_order(
    bench, headquarters, tracker, finder
):
    headquarters.report_theft(tracker)
    load(bench, headquarters, finder, tracker)
    tracker.motion.does("ride", 60)
    bench.until(lambda: says(bench, tracker, beacon.LOST), 120, "lost mode by the finder")
    assert not tracker.sounder("siren").bursts
    finder.contact("button").press(2.0)
    bench.until(lambda: tracker.sounder("siren").bursts, 200, "its siren")


@pytest.mark.fitted("tag", at=(60.0, 0.0))
def test_the_beep_quickens_towards_the_tag_and_the_light_is_on(bench, headquarters, tag, finder):
    tag.motion.does("ride", 300)
    headquarters.report_theft(tag)
    load(bench, headquarters, finder, tag)
    gaps = []
    for place in ((0.0, 0.0), (55.0, 0.0)):
        finder.carry_to(*place, 1000.0)
        bench.run(70)
        began = [burst[0] for burst in finder.sounder("buzzer").bursts][-4:]
        gaps.append((began[-1] - began[0]) / 3)
    assert 1.5 < gaps[0] < 2.5 and 0.2 < gaps[1] < 0.6
    lights = []
    for _ in range(500):
        bench.run(0.01)
        lights.append(finder.light())
    assert 0 < sum(lights) < 20  # 20 ms of 5 s


@pytest.mark.fitted("tag", at=(30000.0, 0.0))
def test_what_was_lent_is_forgotten_in_time_even_while_it_is_dark(bench, headquarters, tag, finder):
    headquarters.report_theft(tag)
    loan = load(bench, headquarters, finder, tag, hours=1)
    assert loan.eids[0] in flash_of(finder)
    bench.run(600)
    assert finder.screen() == [] and finder.current.mean_ua(60) < 8000
    bench.run(3600 - 600)
    finder.contact("button").press(0.2)
    bench.run(2)
    assert held(finder, 0).startswith("searching")
    assert loan.eids[0] not in flash_of(finder) and loan.commands[0][1] not in flash_of(finder)


def flash_of(device) -> bytes:
    """Every file but the firmware's."""
    files = device.assembled.board.files
    return b"".join(files[path] for path in files.paths() if path.startswith("/state/"))


@pytest.mark.fitted("tag", at=(30.0, 0.0))
def test_a_stranger_is_shown_by_the_beginning_of_its_id(bench, tag, finder):
    tag.motion.does("ride", 60)
    bench.run(30)
    eid = beacon.decode(bench.heard(tag)[-1].payload).eid
    assert held(finder, 0).startswith(f"?{eid[0]:02X}{eid[1]:02X}")
    assert finder.assembled.board.measure_heap() <= 80 * 1024
