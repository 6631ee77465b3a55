"""The modem driver against the command-level model, with the failures that modems have."""

import pytest
from sim_chips.modem_rig import KEY, NEIGHBOURS, SERVING, Modem, at_modem


@pytest.fixture
def modem(bench):
    return Modem(bench)


@pytest.fixture
def online(modem):
    modem.driver.start()
    modem.wait_for(modem.module.READY)
    return modem


def test_switches_on_sets_up_and_registers(modem):
    assert modem.chip.state == "off"
    modem.driver.start()
    modem.wait_for(modem.module.READY, 20)
    modem.run(2)
    assert modem.driver.ready and modem.driver.idle and modem.bench.io.line(KEY).level == 1


def test_modem_that_runs_already_is_found_and_not_switched_off(bench, online):
    second = online.module.AtModem(bench.uart(2), bench.pin(KEY, 1))  # the microcontroller was reset
    online.driver = second
    second.start()
    online.wait_for(online.module.READY, 10)
    assert online.chip.state == "on"


def test_sibling_that_answers_cereg_as_cgreg_registers_too(modem):
    modem.chip.radio.cereg_answers_as_cgreg = True
    modem.driver.start()
    modem.wait_for(modem.module.READY, 20)


def test_bytes_go_to_the_server_and_back_whatever_they_are(online):
    online.driver.connect("collector", 4710)
    online.wait_for(online.module.CONNECTED)
    data = bytes(range(256)) * 2 + b"\r\nOK\r\nERROR\r\n> +IPD,3:\x1a\x00"
    online.driver.send(data)
    online.wait_for(online.module.SENT)
    online.run(1)
    assert online.received() == data[::-1]
    assert online.driver.read_into(bytearray(8)) == 0


def test_more_than_a_segment_is_sent_in_pieces_in_order(online):
    online.driver.connect("collector", 4710)
    online.wait_for(online.module.CONNECTED)
    data = bytes(number % 251 for number in range(3500))
    online.driver.send(data)
    received = b""
    for _ in range(40):
        online.run(0.1)
        received += online.received()
    pieces = [data[:1460], data[1460:2920], data[2920:]]
    assert received == b"".join(piece[::-1] for piece in pieces)


def test_refused_and_closed_connections_are_told(online):
    module = online.module
    online.driver.connect("nobody", 1)
    online.wait_for(module.CLOSED, 90)
    online.driver.connect("collector", 4710)
    online.wait_for(module.CONNECTED)
    online.driver.send(b"close")
    online.wait_for(module.CLOSED)
    assert not online.driver.connected
    with pytest.raises(module.AtModemError, match="not connected"):
        online.driver.send(b"x")
    online.driver.connect("collector", 4710)
    online.wait_for(module.CONNECTED)
    online.driver.close()
    online.wait_for(module.CLOSED)


@pytest.mark.parametrize(
    "text", ["Bike moved: 45.2783,13.7230", "平安卡：车辆被移动", "long " * 60, "长" * 150]
)
def test_texts_arrive_as_written(online, text):
    online.driver.send_sms("+8613800138000", text)
    online.wait_for(online.module.SMS_SENT)
    online.run(5)
    assert [(number, body) for _, number, body in online.chip.sent_sms] == [("+8613800138000", text)]


def test_text_without_network_fails_by_name(online):
    online.cells.cells = []
    online.driver.send_sms("+8613800138000", "hello")
    assert b"+CMS ERROR" in online.wait_for(online.module.SMS_FAILED)


def test_cells_come_with_the_serving_one_first(online):
    online.driver.request_cells()
    cells = online.wait_for(online.module.CELLS)
    assert cells[0] == (460, 0, 10135, 45_493_783, -78, "lte")
    assert cells[1:] == [(460, 0, 10135, cell.cell, cell.signal_dbm, "lte") for cell in NEIGHBOURS]


def test_quiet_modem_sleeps_and_is_woken_for_a_command(bench, online):
    online.run(60)
    assert bench.power.current_ua() == pytest.approx(500, abs=1)
    for _ in range(3):
        online.run(20)
        online.driver.request_cells()
        assert online.wait_for(online.module.CELLS, 2)
    online.driver.connect("collector", 4710)
    online.wait_for(online.module.CONNECTED)
    online.run(30)
    online.driver.send(b"abc")
    online.run(2)
    assert online.received() == b"cba" and online.module.FAULT not in [kind for kind, _ in online.events]


def test_lost_network_is_told_and_found_again(online):
    module = online.module
    cells, online.cells.cells = online.cells.cells, []
    online.wait_for(module.LOST, 20)
    with pytest.raises(module.AtModemError, match="not registered"):
        online.driver.request_cells()
    online.cells.cells = cells
    online.wait_for(module.READY, 60)


def test_connection_dies_with_the_network(online):
    online.driver.connect("collector", 4710)
    online.wait_for(online.module.CONNECTED)
    online.cells.cells = []
    online.wait_for(online.module.CLOSED, 20)


def test_no_coverage_at_all_restarts_with_growing_rests(modem):
    modem.cells.cells = []
    modem.driver.start()
    for _ in range(3):
        modem.wait_for(modem.module.FAULT, 400)
    modem.cells.cells = [SERVING]
    modem.wait_for(modem.module.READY, 900)


@pytest.mark.parametrize("failure", ["silent", "rubbish"])
def test_modem_that_hangs_or_talks_rubbish_is_restarted(online, failure):
    module = online.module
    setattr(online.chip, failure, True)
    for _ in range(4):
        if online.driver.ready:
            online.driver.request_cells()
        online.run(12)
    assert module.FAULT in [kind for kind, _ in online.events]
    setattr(online.chip, failure, False)
    online.wait_for(module.READY, 900)
    online.driver.request_cells()
    assert online.wait_for(module.CELLS)


def test_missing_modem_is_a_fault_not_a_hang(bench):
    module = at_modem(bench)
    driver = module.AtModem(bench.uart(3), bench.pin(9, 1), b"air780e")
    driver.start()
    faults = 0
    for _ in range(6000):
        event = driver.poll()
        faults += event is not None and event[0] == module.FAULT
        bench.clock.sleep_ms(20)
    assert faults >= 2


def test_power_down_leaves_the_network_first(bench, online):
    online.driver.stop()
    online.run(4)
    assert online.chip.state == "off" and online.driver.due_ms() is None
    online.driver.start()
    online.wait_for(online.module.READY, 30)


# --- SIM, registration, time, signal


def test_network_time_is_utc_and_the_signal_is_known(online):
    online.run(2)
    times = [value for kind, value in online.events if kind == online.module.TIME]
    world = online.bench.world
    assert times and abs(times[-1] - world.unix_ms // 1000) <= 3
    assert online.driver.signal_dbm == -53, "+CSQ: 30"


@pytest.mark.parametrize("fault, why", [("sim_inserted", b"CME ERROR: 10"), ("sim_locked", b"SIM PIN")])
def test_sim_that_is_missing_or_locked_is_told_and_tried_again(modem, fault, why):
    radio = modem.chip.radio
    setattr(radio, fault, fault == "sim_locked")
    modem.driver.start()
    assert why in modem.wait_for(modem.module.FAULT, 60)
    modem.wait_for(modem.module.FAULT, 200)
    setattr(radio, fault, fault == "sim_inserted")
    modem.wait_for(modem.module.READY, 900)


def test_refused_registration_is_told_and_ends_when_the_network_relents(modem):
    modem.chip.radio.denied = True
    modem.driver.start()
    begun_us = modem.bench.world.now_us
    times_s = []
    for _ in range(3):
        assert modem.wait_for(modem.module.FAULT, 900) == b"registration denied"
        times_s.append((modem.bench.world.now_us - begun_us) / 1e6)
    assert times_s[2] - times_s[1] > times_s[1] - times_s[0] > 60, "the rests grow"
    modem.chip.radio.denied = False
    modem.wait_for(modem.module.READY, 900)


def test_network_that_is_found_during_set_up_waits_for_its_end(modem):
    registering = modem.bench.driver("modem_life").REGISTERING
    modem.driver.start()
    for _ in range(2000):
        modem.run(0.02)
        if modem.driver.state == registering:
            break
    assert not modem.driver.port.idle, "the set-up is under way"
    modem.bench.io.uart(2).received.extend(b"\r\n+CEREG: 1\r\n")
    modem.run(0.04)
    assert not modem.driver.ready
    modem.wait_for(modem.module.READY)
    assert modem.driver.port.sleeps


def test_roaming_is_told(bench, online):
    online.bench.io.uart(2).received.extend(b"\r\n+CEREG: 2\r\n")
    online.wait_for(online.module.LOST)
    online.bench.io.uart(2).received.extend(b'\r\n+CEREG: 5,"2797","02B62E17",7\r\n')
    assert online.wait_for(online.module.READY) is True


# --- texts


def test_incoming_text_is_handed_over_and_deleted(online):
    online.run(2)
    online.chip.receive_sms("+8613800138000", "车在哪里？ LOST OFF")
    assert online.wait_for(online.module.SMS_RECEIVED) == ("+8613800138000", "车在哪里？ LOST OFF")
    online.run(2)
    assert online.chip.inbox.stored == {} and online.driver.ready


def test_texts_that_waited_do_not_fill_the_sim(modem):
    for number in range(20):
        modem.chip.inbox.put(b"\x00" + bytes((number,)))
    modem.driver.start()
    modem.wait_for(modem.module.READY)
    modem.run(1)
    assert modem.chip.inbox.stored == {}


@pytest.mark.parametrize(
    "pdu", [b"\x00", b"\x01", bytes(40), b"\x00\x04\xff\xa1", b"\x00\x04\x0b\xd0" + b"\xff" * 30]
)
def test_malformed_text_changes_nothing(online, pdu):
    online.run(2)
    online.chip.inbox.put(pdu)
    online.run(5)
    assert online.chip.inbox.stored == {} and online.driver.ready and online.driver.idle


@pytest.mark.parametrize("text", ["Bike moved", "平安卡：车辆被移动", "长" * 100])
def test_modem_without_pdus_sends_texts_in_text_mode(modem, text):
    modem.chip.sms.refuses_pdus = True
    modem.driver.start()
    modem.wait_for(modem.module.READY)
    assert modem.driver.text_mode
    modem.driver.send_sms("+8613800138000", text)
    modem.wait_for(modem.module.SMS_SENT)
    modem.run(5)
    bodies = [body for _, _, body in modem.chip.sent_sms]
    if len(bodies) > 1:
        assert [body[:4] for body in bodies] == ["1/2 ", "2/2 "]
        bodies = [body[4:] for body in bodies]
    assert "".join(bodies) == text


# --- power save


def test_hibernation_ends_with_the_next_start(bench, online):
    online.run(2)
    online.driver.hibernate()
    online.run(30)
    assert online.chip.state == "PSM+" and online.driver.idle and bench.power.current_ua() == 3
    online.driver.start()
    online.wait_for(online.module.READY)


def test_modem_that_does_not_obey_is_switched_off_by_its_key(online):
    online.run(2)
    online.chip.silent = True
    online.driver.stop()
    online.run(20)
    assert online.chip.state == "off" and online.bench.io.line(KEY).level == 1


# --- restarts of its own


@pytest.mark.parametrize("announced", [True, False])
def test_spontaneous_restart_is_noticed_and_mended(online, announced):
    module = online.module
    online.run(2)
    online.driver.connect("collector", 4710)
    online.wait_for(module.CONNECTED)
    online.chip.silent = not announced
    online.chip.faults.restart()
    online.run(5)
    online.chip.silent = False
    if not announced:
        assert online.driver.connected, "nobody told"
        online.driver.send(b"into the void")
    online.run(100)
    kinds = [kind for kind, _ in online.events]
    fallen = kinds.index(module.CLOSED)
    assert kinds.index(module.LOST) > fallen and module.READY in kinds[fallen:] and online.driver.ready
    online.driver.connect("collector", 4710)
    online.wait_for(module.CONNECTED)
    online.driver.send(b"again")
    online.run(3)
    assert online.received() == b"niaga"
