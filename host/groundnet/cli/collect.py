"""``groundnet collect``: the collector as a service."""

import asyncio
import contextlib
import functools
import json
import signal
import ssl
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from groundnet.alerts import rule_book, service
from groundnet.alerts.settings import senders
from groundnet.cli.alert import AlertsFileOption
from groundnet.cli.language import said, tr
from groundnet.cli.options import (
    DatabaseOption,
    JsonOption,
    RegistryOption,
    database_path,
    now_ms,
)
from groundnet.cli.registry_door import open_registry
from groundnet.collector.database import Database
from groundnet.collector.intake import searching
from groundnet.collector.intake.core import Collector
from groundnet.collector.intake.inbox import Inbox
from groundnet.collector.intake.mqtt_inbox import MqttInbox, broker_of
from groundnet.collector.intake.newcomers import Newcomers
from groundnet.collector.intake.server import Server, ServerError
from groundnet.collector.places import calibration_service
from groundnet.collector.senders import clock_service
from groundnet.collector.stations import suspicion_service
from groundnet.collector.stations.station_door import StationDoor

app = typer.Typer()


@app.command()
def collect(
    listen: Annotated[
        str, typer.Option(help="Address, HOST:PORT; port 0 takes a free one.")
    ] = "127.0.0.1:7400",
    tls_cert: Annotated[
        Path | None,
        typer.Option(help=tr("Listen inside TLS: certificate, PEM.", "以 TLS 监听：证书，PEM。")),
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help=tr("Its private key, PEM.", "其私钥，PEM。"))] = None,
    mqtt: Annotated[
        str | None, typer.Option(metavar="URL", help="Hear a broker, too: mqtts://USER@HOST:PORT.")
    ] = None,
    mqtt_password_file: Annotated[
        Path | None, typer.Option(help="File with the password for the broker.")
    ] = None,
    mqtt_ca: Annotated[
        Path | None,
        typer.Option(
            help=tr(
                "Who signed the broker's certificate, PEM; without: who this system trusts.",
                "签发消息代理证书的机构，PEM；不给出时用本机信任的机构。",
            )
        ),
    ] = None,
    mqtt_share: Annotated[
        str, typer.Option(help="Name of a group of collectors on one store that divide the messages.")
    ] = "",
    open_stations: Annotated[
        bool,
        typer.Option(
            "--open-stations",
            help=tr(
                "Also take stations that prove nothing; never one that proved itself here before.",
                "也接受未证明身份的基站；曾在此证明过身份的除外。",
            ),
        ),
    ] = False,
    alerts: AlertsFileOption = None,
    database: DatabaseOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Receive sightings and reports over TCP, and from an MQTT broker, until Ctrl-C or SIGTERM.

    Trackers sign their reports; stations prove the secret that they got when they were provisioned. Neither hides
    what is said: without --tls-cert listen on the loopback or a private network.
    """
    host, port = _address(listen)
    tls = _tls(tls_cert, tls_key)
    password = mqtt_password_file.read_text(encoding="utf-8").strip() if mqtt_password_file else None
    broker = broker_of(mqtt, password, mqtt_ca) if mqtt else None
    ways = senders(alerts)
    store = Database(database_path(database))
    devices = open_registry(registry)
    collector = Collector(store)
    door = StationDoor(store, open_stations)

    newcomers = Newcomers(devices, collector, door)
    newcomers.learn()
    inbox = Inbox(collector, now_ms, newcomers.learn, door, _tell_of_store)
    beside = [lambda: searching.run(inbox)]
    messages = MqttInbox(inbox, broker, mqtt_share, _tell_of_broker) if broker else None

    def alert() -> Coroutine[None, None, None]:
        return service.run(store, lambda: rule_book.rules(devices), ways, now_ms, _tell_of_alerts)

    beside += [messages.run, alert] if messages else [alert]
    announce = functools.partial(_announce, host, as_json=as_json)
    address = database_path(database)
    beside.append(lambda: calibration_service.run(lambda: Database(address), now_ms, _tell_of_calibration))
    identity_of = clock_service.identities(collector.devices)
    beside.append(lambda: clock_service.run(lambda: Database(address), identity_of, now_ms, _tell_of_clocks))
    beside.append(lambda: suspicion_service.run(lambda: Database(address), now_ms, _tell_of_stations))
    asyncio.run(_serve(Server(inbox), beside, host, port, announce, tls))
    store.close()
    devices.close()


async def _serve(
    server: Server,
    beside: Sequence[Callable[[], Coroutine[None, None, None]]],
    host: str,
    port: int,
    announce: Callable[[int], None],
    tls: ssl.SSLContext | None,
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    announce(await server.listen(host, port, tls))  # who reads that line may stop us at once
    tasks = [asyncio.create_task(work()) for work in beside]
    await stop.wait()
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await server.close()


def _tell_of_broker(text: str) -> None:
    Console(stderr=True, highlight=False, markup=False).print(f"{tr('broker:', '消息代理：')} {text}")


def _tell_of_alerts(text: str) -> None:
    Console(stderr=True, highlight=False, markup=False).print(f"{tr('alerts:', '提醒：')} {text}")


def _tell_of_calibration(text: str) -> None:
    Console(stderr=True, highlight=False, markup=False).print(f"{tr('calibration:', '校准：')} {text}")


def _tell_of_clocks(text: str) -> None:
    Console(stderr=True, highlight=False, markup=False).print(f"{tr('clocks:', '时钟：')} {text}")


def _tell_of_stations(text: str) -> None:
    Console(stderr=True, highlight=False, markup=False).print(f"{tr('stations:', '基站：')} {said(text)}")


def _tell_of_store(text: str) -> None:
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(
        f"{tr('store:', '数据库：')} {said(text)}"
    )


def _announce(host: str, port: int, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"listening": f"{host}:{port}"}))
    else:
        text = tr("listening on", "正在监听")
        Console(highlight=False).print(f"{text} [bold]{host}:{port}[/], Ctrl-C {tr('stops', '停止')}")


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """What the server shows; None without a certificate."""
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise ServerError(
            f"no certificate with its key in {certificate} ({error.strerror or error})",
            "give PEM files with --tls-cert and --tls-key",
        ) from error
    return context


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise typer.BadParameter(f"'{text}' is not HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)
