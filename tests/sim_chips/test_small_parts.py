"""Cells, battery, siren, LED, contacts, PIR."""

import pytest
from groundnet.sim.cells import AUDIBLE_DBM, Cells, read_towers
from groundnet.sim.chips.battery import Battery
from groundnet.sim.chips.indicator import Contact, Led, Pir
from groundnet.sim.chips.siren import BUZZER_UA, Siren
from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import AnalogLine, Line
from groundnet.sim.world import World

TABLE = """\
radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal
LTE,460,0,6334,140542123,351,103.800,25.500,900,10,1,1577836800,1606780800,-91
LTE,460,0,6334,140542124,352,103.810,25.500,900,10,1,1577836800,1606780800,-95
GSM,460,0,6334,5045,13,104.500,25.900,5000,10,1,1577836800,1606780800,-95
"""


def test_the_nearest_tower_serves_and_the_far_ones_are_not_heard():
    place = [25.5, 103.801]
    cells = Cells(read_towers(TABLE), lambda unix_ms: (place[0], place[1]))
    heard = cells.heard(0)
    assert [cell.cell for cell in heard] == [140542123, 140542124]
    assert heard[0].signal_dbm > heard[1].signal_dbm >= AUDIBLE_DBM
    place[1] = 103.809
    assert [cell.cell for cell in cells.heard(0)] == [140542124, 140542123]
    place[:] = [26.5, 103.0]
    assert cells.heard(0) == []


def test_signal_at_the_edge_of_the_range():
    tower = read_towers(TABLE)[0]
    edge = tower.heard_at(25.5 + 900 / 111_195, 103.8)
    assert edge is not None and edge.signal_dbm == pytest.approx(-110, abs=1)


def test_battery_falls_with_the_charge_drawn():
    world = World()
    power = PowerAccount(world)
    pin = AnalogLine()
    battery = Battery("er14505", pin, 2.0, power)
    assert pin.volts == pytest.approx(1.83)
    power.set_state("load", "on", 1_000_000)
    world.run_for(2160 * 3_600_000_000 // 1000)  # 1 A for 2.16 h: 90 %
    assert battery.volts == pytest.approx(3.55)
    battery.forced_volts = 2.4
    assert pin.volts == pytest.approx(1.2)


def test_a_switched_divider_shows_nothing_until_it_is_connected():
    pin, enable = AnalogLine(), Line("enable", 1)
    Battery("lipo", pin, 4.9, PowerAccount(World()), enable, enable_level=0)
    assert pin.volts == 0
    enable.drive(0)
    assert pin.volts == pytest.approx(4.18 / 4.9)


def test_siren_remembers_its_bursts_and_their_charge():
    world = World()
    power, pin = PowerAccount(world), Line("siren")
    siren = Siren(world, pin, power, BUZZER_UA, "buzzer")
    world.run_for(1_000_000)
    pin.drive(1)
    world.run_for(2_000_000)
    assert siren.sounding and siren.bursts == [(1_000_000, None)]
    pin.drive(0)
    assert siren.bursts == [(1_000_000, 3_000_000)]
    assert power.charge_uas()["buzzer", "sounding"] == pytest.approx(30_000)


def test_led_and_contact():
    pin = Line("led")
    led = Led(pin, PowerAccount(World()))
    pin.drive(1)
    assert led.on
    strap = Line("strap")
    contact = Contact(strap)
    assert strap.level == 1
    contact.close()
    assert strap.level == 0
    contact.open()
    assert strap.level == 1


def test_a_contact_bounces_for_some_milliseconds_and_then_stands():
    world = World()
    pin = Line("button")
    button = Contact(pin, 1, world)
    most = 0
    for _ in range(20):
        changes = []
        pin.listen(changes.append)
        button.close()
        world.run_for(8_000)
        assert pin.level == 1
        most = max(most, len(changes))
        world.run_for(50_000)
        assert pin.level == 1
        button.open()
        world.run_for(50_000)
        assert pin.level == 0
    assert most >= 3, "it never bounced"


def test_a_closed_loop_draws_its_pull_current():
    world = World()
    power = PowerAccount(world)
    strap = Contact(Line("strap"), 1, world, power, "strap", resting_ua=0.7)
    assert power.current_ua() == pytest.approx(0.7)
    strap.close()
    assert power.current_ua() == 0


def test_pir_holds_its_output():
    world = World()
    pin = Line("pir")
    pir = Pir(world, pin, PowerAccount(world))
    pir.see()
    world.run_for(2_000_000)
    pir.see()
    world.run_for(2_000_000)
    assert pin.level == 1
    world.run_for(1_000_000)
    assert pin.level == 0
