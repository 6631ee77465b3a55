"""The base station: always on, hears beacons, forwards them, answers inside the tags' windows."""

import os

import machine
from apps import guard
from apps.alarm import Light
from apps.battery import Battery
from apps.clock import Clock
from apps.hardware import Hardware, boot_cause, device_id
from apps.network import Network
from apps.radio import Radio
from apps.service import Link, describe
from apps.shelf import SightingShelf
from apps.station_health import StationHealth
from apps.storage import Storage
from apps.supervisor import Supervisor
from apps.update_fetch import UpdateFetch
from apps.version import VERSION
from board import BOARD
from groundcore import events, listening, store, uplink
from groundcore.base import Base
from groundcore.settings import Settings


class BaseApp:
    """Composition root of the base station."""

    def __init__(self):
        cause = boot_cause()
        hardware = Hardware(BOARD)
        storage = Storage()
        records = storage.load()
        settings = Settings(records[store.SETTINGS], "none")
        served = listening.plans(settings.text("region"), bool(settings["both_radios"]))
        wifi_name, wifi_key = settings.text("wifi_name"), settings.text("wifi_key")
        has_gnss = hardware.part("gnss") is not None
        core = Base(device_id(), records, VERSION, os.urandom, has_shelf=True, has_gnss=has_gnss)
        self._loop = loop = Supervisor(core, Clock())
        loop.add("storage", lambda: storage)
        loop.add("history", lambda: SightingShelf(loop), SightingShelf.errors)
        loop.add("radio", lambda: radio_for(loop, hardware, served), Radio.errors)
        if has_gnss:
            from apps.gnss import Gnss

            loop.add("gnss", lambda: Gnss(loop, hardware), Gnss.errors)
        if settings["ble_scan"]:
            loop.add("ble", lambda: ble_for(loop))
        loop.add("health", lambda: StationHealth(loop))
        loop.add("battery", lambda: Battery(loop, hardware))
        loop.add("led", lambda: Light(hardware))
        secure = uplink.address(settings)[2]
        ca = settings.text("collector_ca") if secure else None
        loop.add("network", lambda: Network(loop, wifi_name, wifi_key, ca), Network.errors)
        device = describe(hardware, "base", device_id())
        loop.add("link", lambda: Link(loop, device, storage, machine.reset))
        loop.add("update", lambda: UpdateFetch(loop, device, machine.reset))
        loop.post(events.BOOT, cause)

    def run(self) -> None:
        self._loop.run()


def ble_for(loop):
    """The part for BLE advertisements."""
    from apps import ble  # a station without it pays no heap for it

    return ble.make(loop)


def radio_for(loop, hardware, served: tuple):
    """The radio part for the plans that this station serves."""
    if len(served) < 2:
        return Radio(loop, hardware, boosted_gain=True, plan=served[0] if served else None)
    from apps import radios  # a station of one channel pays no heap for it

    return radios.make(loop, hardware, served)


def main() -> None:
    guard.run(BaseApp)
