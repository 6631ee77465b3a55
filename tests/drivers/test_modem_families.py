"""The same driver on the models of three families, told or asking which one it is."""

import importlib

import pytest
from groundnet.sim.chips.a7670 import A7670
from groundnet.sim.chips.air780e import Air780e
from groundnet.sim.chips.air780e_dialect import Reply
from groundnet.sim.chips.ec800 import Ec800
from sim_chips.modem_rig import KEY, NEIGHBOURS, SERVING, Modem

FAMILIES = {"air780e": Air780e, "a7670": A7670, "ec800": Ec800}
IDENTITY = (SERVING.mcc, SERVING.mnc, SERVING.area, SERVING.cell)


@pytest.fixture(params=[(name, told) for name in FAMILIES for told in (True, False)], ids=str)
def modem(bench, request):
    name, told = request.param
    rig = Modem(bench, FAMILIES[name], name.encode() if told else None)
    rig.driver.start()
    rig.wait_for(rig.module.READY, 60)
    return rig


def test_bytes_go_there_and_back_whatever_they_are(modem):
    modem.driver.connect("collector", 4710)
    modem.wait_for(modem.module.CONNECTED)
    data = bytes(range(256)) * 3 + b'\r\nOK\r\nERROR\r\n> +IPD3\r\n+QIURC: "recv",0,9\r\n\x1a\x00'
    modem.driver.send(data)
    modem.wait_for(modem.module.SENT)
    modem.run(2)
    assert modem.received() == data[::-1]


def test_connection_that_is_refused_closed_or_lost_is_told_and_the_next_one_works(modem):
    module = modem.module
    modem.driver.connect("nobody", 1)
    modem.wait_for(module.CLOSED, 90)
    for ending in ("far", "near", "network"):
        modem.run(3)
        modem.driver.connect("collector", 4710)
        modem.wait_for(module.CONNECTED)
        if ending == "far":
            modem.driver.send(b"close")
        elif ending == "near":
            modem.driver.close()
        else:
            modem.chip.no_network = True
        modem.wait_for(module.CLOSED)
        assert not modem.driver.connected
    modem.chip.no_network = False
    modem.wait_for(module.READY)
    modem.driver.connect("collector", 4710)
    modem.wait_for(module.CONNECTED)


def test_cells_time_signal_and_texts(modem):
    modem.run(2)
    world = modem.bench.world
    times = [value for kind, value in modem.events if kind == modem.module.TIME]
    assert times and abs(times[-1] - world.unix_ms // 1000) <= 4
    assert modem.driver.signal_dbm == -53
    modem.driver.request_cells()
    cells = modem.wait_for(modem.module.CELLS)
    assert cells[0] == (*IDENTITY, SERVING.signal_dbm, "lte")
    assert len(cells) in (1, 1 + len(NEIGHBOURS)), "neighbours without identity are left out"
    modem.driver.send_sms("+8613800138000", "平安卡：车辆被移动")
    modem.wait_for(modem.module.SMS_SENT)
    modem.chip.receive_sms("10086", "欠费")
    assert modem.wait_for(modem.module.SMS_RECEIVED) == ("10086", "欠费")


def test_quiet_modem_sleeps_and_wakes(modem):
    modem.run(30)
    assert modem.bench.power.current_ua() == 500
    modem.driver.request_cells()
    assert modem.wait_for(modem.module.CELLS, 3)


def test_switches_off_and_on(modem):
    modem.run(2)
    modem.driver.stop()
    modem.run(15)
    assert modem.chip.state == "off" and modem.bench.io.line(KEY).level == 1
    modem.driver.start()
    modem.wait_for(modem.module.READY, 60)


def test_hung_modem_is_brought_back_by_its_key(modem):
    modem.chip.silent = True
    modem.driver.request_cells()
    modem.wait_for(modem.module.FAULT, 60)
    modem.run(20)
    modem.chip.silent = False
    modem.wait_for(modem.module.READY, 300)


@pytest.mark.parametrize("unit", ["index", "dBm", "tenths"])
def test_level_of_every_firmware(bench, unit):
    rig = Modem(bench, A7670, b"a7670")
    rig.chip.level_unit = unit
    rig.driver.start()
    rig.wait_for(rig.module.READY)
    rig.driver.request_cells()
    assert rig.wait_for(rig.module.CELLS) == [(*IDENTITY, SERVING.signal_dbm, "lte")]


@pytest.mark.parametrize(
    "model, family",
    [
        *(("Air780EP", "luatos"), ("A7670E-FASE", "simcom"), ("SIMCOM_SIM7600E-H", "simcom")),
        *(("EC800M", "quectel"), ("EG915U", "quectel"), ("EC200U", "quectel"), ("BG95", None), ("", None)),
    ],
)
def test_models_find_their_family(model, family):
    dialects = importlib.import_module("drivers.modem_dialects")
    found = dialects.find(model.encode())
    expected = None if family is None else importlib.import_module(f"drivers.modem_{family}").DIALECT
    assert found is expected


class Stranger(Air780e):
    """A modem of a family that nobody wrote a table for."""

    def _change_commands(self, commands):
        commands.add({"+CGMM": lambda form, arguments: Reply(("BG95-M3",))})


def test_stranger_is_a_fault(bench):
    rig = Modem(bench, Stranger, model=None)
    rig.driver.start()
    assert rig.wait_for(rig.module.FAULT) == b"unknown model BG95-M3"


def test_dialects_have_the_same_keys():
    families = ("luatos", "simcom", "quectel")
    keys = {frozenset(importlib.import_module(f"drivers.modem_{name}").DIALECT) for name in families}
    assert len(keys) == 1
