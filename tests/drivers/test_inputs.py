"""Contacts, movement sensor and supply sense against models that bounce, warm up and are cut."""

import pytest
from groundnet.sim.chips.indicator import Contact as Switch
from groundnet.sim.chips.indicator import Pir as Sensor
from groundnet.sim.chips.supply import Supply
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PIN, LOST = 4, 40


class Watched:
    """A driver that is polled as the run loop does; remembers (milliseconds, what) of everything it told."""

    def __init__(self, bench, part, nothing):
        self.bench, self.part, self.nothing = bench, part, nothing
        self.told = []

    def run(self, duration_ms, every_ms=5):
        end_us = self.bench.world.now_us + duration_ms * 1000
        while self.bench.world.now_us < end_us:
            what = self.part.poll()
            if what != self.nothing:
                self.told.append((self.bench.world.now_us // 1000, what))
            self.bench.world.run_for(every_ms * 1000)
        return [what for _, what in self.told]


@pytest.fixture
def contact(bench):
    driver = bench.driver("contact")
    switch = Switch(bench.io.line(PIN), 1, bench.world)

    def make(interrupt=False, **options):
        part = driver.Contact(bench.pin(PIN), active_level=1, **options)
        if interrupt:
            bench.io.line(PIN).listen(lambda _: part.edge(None))
        return driver, switch, Watched(bench, part, driver.NOTHING)

    return make


@pytest.mark.parametrize("interrupt", [False, True])
def test_one_press_is_told_once_whatever_bounces(contact, interrupt):
    driver, switch, watched = contact(interrupt)
    for _ in range(20):
        switch.close()
        watched.run(200)
        switch.open()
        watched.run(200)
    assert watched.run(100) == [driver.CLOSED, driver.OPENED] * 20


def test_a_glitch_shorter_than_the_debounce_time_is_nothing(contact, bench):
    _, _, watched = contact(debounce_ms=30)
    for _ in range(5):
        bench.io.line(PIN).drive(1)
        watched.run(20)
        bench.io.line(PIN).drive(0)
        watched.run(100)
    assert watched.told == []


def test_a_long_press_is_told_at_its_time_and_a_short_one_is_not_long(contact):
    driver, switch, watched = contact(hold_ms=1500)
    switch.close()
    watched.run(1400)
    switch.open()
    watched.run(500)
    assert [what for _, what in watched.told] == [driver.CLOSED, driver.OPENED]
    began_ms = watched.bench.world.now_us // 1000
    switch.close()
    watched.run(3000)
    assert [what for _, what in watched.told[2:]] == [driver.CLOSED, driver.HELD]
    assert watched.told[3][0] - began_ms == pytest.approx(1500, abs=20)


def test_the_interrupt_saves_a_press_between_two_polls_but_no_spike(contact, bench):
    driver, switch, watched = contact(interrupt=True)
    switch.close()
    bench.seconds(0.2)
    switch.open()
    bench.seconds(2)
    watched.run(10)
    assert [what for _, what in watched.told] == [driver.CLOSED, driver.OPENED]
    bench.io.line(PIN).drive(1)
    bench.seconds(0.001)
    bench.io.line(PIN).drive(0)
    bench.seconds(2)
    assert len(watched.run(100)) == 2


def test_polling_alone_misses_what_is_between_two_polls(contact, bench):
    """The reason for the interrupt: without it the same press leaves no trace."""
    _, switch, watched = contact()
    switch.close()
    bench.seconds(0.2)
    switch.open()
    bench.seconds(2)
    assert watched.run(100) == []


def test_a_contact_that_is_known_to_be_active_is_no_news(contact):
    driver, switch, watched = contact(active=True)
    switch.close()
    assert watched.run(500) == []
    switch.open()
    assert watched.run(500) == [driver.OPENED]


def test_due_asks_to_be_polled_only_while_something_is_undecided(contact, bench):
    driver, _, watched = contact(hold_ms=1000)
    part = watched.part
    assert part.due_ms() is None
    bench.io.line(PIN).drive(1)
    assert part.poll() == driver.NOTHING
    assert 0 < part.due_ms() <= 30
    bench.seconds(part.due_ms() / 1000)
    assert part.poll() == driver.CLOSED
    assert 900 < part.due_ms() <= 1000
    bench.seconds(part.due_ms() / 1000)
    assert part.poll() == driver.HELD
    assert part.due_ms() is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(levels=st.lists(st.tuples(st.booleans(), st.integers(1, 120)), max_size=20))
def test_closings_and_openings_alternate_and_end_at_the_level_of_the_pin(contact, bench, levels):
    driver, _, watched = contact(interrupt=True)
    bench.io.line(PIN).drive(0)
    watched.run(100)
    watched.told.clear()
    for level, duration_ms in levels:
        bench.io.line(PIN).drive(int(level))
        watched.run(duration_ms)
    told = watched.run(100)
    assert told == [driver.CLOSED, driver.OPENED] * (len(told) // 2) + [driver.CLOSED] * (len(told) % 2)
    assert watched.part.active == bool(bench.io.line(PIN).level)


# --- movement sensor


@pytest.fixture
def pir(bench):
    sensor = Sensor(bench.world, bench.io.line(PIN), bench.power, warms_up=True)
    driver = bench.driver("pir")
    sensor.power_cycle()
    return driver, sensor, Watched(bench, driver.Pir(bench.pin(PIN)), driver.NOTHING)


def test_false_triggers_of_the_warm_up_are_not_believed(pir, bench):
    driver, sensor, watched = pir
    rises = []
    bench.io.line(PIN).listen(lambda level: rises.append(level))
    watched.run(59_000, 50)
    assert 1 in rises, "the model triggers while it warms up"
    assert watched.told == [] and not watched.part.warm
    watched.run(2_000, 50)
    sensor.see()
    assert watched.run(1000, 50) == [driver.MOVED] and watched.part.warm


def test_somebody_who_walks_about_is_one_report(pir):
    driver, sensor, watched = pir
    watched.run(61_000, 50)
    for _ in range(6):
        sensor.see()
        watched.run(8_000, 50)  # its output falls in between
    assert watched.run(100) == [driver.MOVED]
    assert watched.part.due_ms() > 0
    watched.run(10_000, 50)
    assert [what for _, what in watched.told] == [driver.MOVED, driver.LEFT]
    assert watched.part.due_ms() is None


def test_an_output_that_never_falls_is_a_stuck_sensor(pir, bench):
    driver, sensor, watched = pir
    watched.run(61_000, 50)
    sensor.see()
    watched.run(5_000, 50)
    assert not watched.part.stuck
    bench.io.line(PIN).drive(1)
    watched.run(599_000, 500)
    assert not watched.part.stuck
    watched.run(2_000, 500)
    assert watched.part.stuck and watched.told[-1][1] == driver.MOVED
    bench.io.line(PIN).drive(0)
    watched.run(1_000, 500)
    assert not watched.part.stuck


# --- supply


def sense(bench, lost=True, divider=38.0):
    supply = Supply(bench.io.adc(7), divider, bench.io.line(LOST) if lost else None)
    driver = bench.driver("supply_adc")
    part = driver.SupplyAdc(bench.adc(7), divider, 9_000, bench.pin(LOST) if lost else None)
    return supply, Watched(bench, part, None)


@pytest.mark.parametrize("lost", [False, True])
def test_a_cut_is_told_within_a_second_and_so_is_the_first_voltage(bench, lost):
    supply, watched = sense(bench, lost)
    assert watched.run(100)[0] == pytest.approx(51_200, rel=0.01)
    watched.run(5_000)
    supply.cut()
    cut_ms = bench.world.now_us // 1000
    assert watched.run(5_000)[1:] == [0]
    assert watched.told[1][0] - cut_ms < 1000
    supply.restore()
    assert watched.run(11_000)[2:] == [pytest.approx(51_200, rel=0.01)]


def test_with_its_line_a_supply_that_is_there_costs_no_poll(bench):
    supply, watched = sense(bench)
    watched.run(100)
    assert watched.part.due_ms() is None
    supply.cut()
    assert watched.part.due_ms() == 0


def test_a_supply_that_sags_to_the_limit_does_not_flutter(bench):
    supply, watched = sense(bench, lost=False)
    supply.volts = 9.2
    watched.run(1_000)
    supply.volts = 8.8
    watched.run(1_000)
    supply.volts = 9.2
    watched.run(30_000, 50)
    assert [what for _, what in watched.told] == [pytest.approx(9_200, rel=0.01), 0]
    supply.volts = 10.2
    assert watched.run(11_000, 50)[2:] == [pytest.approx(10_200, rel=0.01)]
