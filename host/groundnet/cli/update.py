"""``groundnet update``: a new version for a device in the field, by cable or through the collector."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from groundnet.cli import updates as views
from groundnet.cli.language import tr
from groundnet.cli.options import STORE, JsonOption, RegistryOption, database_path, now_ms, operator
from groundnet.cli.registry_door import open_registry, open_registry_if_there
from groundnet.collector.database import Database
from groundnet.collector.outbound.updates import UpdateRefused, queue
from groundnet.errors import Text
from groundnet.link.update import read_bundle
from groundnet.link.update import update as update_device

app = typer.Typer(help=tr("Update a device in the field.", "现场更新设备固件。"))

STEP_TEXTS = {
    "send": ("sending", "发送"),
    "verify": ("the device verifies it", "设备校验"),
    "restart": ("the device restarts", "设备重启"),
    "confirm": ("confirming", "确认"),
}


@app.command()
def update(
    device: Annotated[
        str,
        typer.Argument(
            metavar="PORT|DEVICE",
            help="Serial port or PTY of the device; with --collector its device id, tag id or plate.",
        ),
    ],
    bundle: Annotated[Path, typer.Argument(help="A signed bundle.", exists=True, dir_okay=False)],
    collector: Annotated[
        str | None,
        typer.Option(
            "--collector",
            metavar=STORE,
            help="Database of a collector, file or URL: the device fetches the bundle from there.",
        ),
    ] = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the device at PORT to the version of BUNDLE; repeat it after any interruption, it goes on.

    With --collector a base station or tracker fetches the bundle itself, over its own uplink, and confirms it when
    the collector has answered it; `groundnet updates list` tells how far it is.
    """
    if collector is not None:
        _queue(device, bundle, collector, registry, as_json)
    else:
        _by_cable(device, bundle, registry, as_json)


def _queue(device: str, bundle: Path, collector: str, registry: str | None, as_json: bool) -> None:
    device_ids = _devices(device, registry)
    store = Database(database_path(collector), must_exist=True)
    data = bundle.read_bytes()
    queued = [queue(store, device_id, data, operator(), now_ms()) for device_id in device_ids]
    store.close()
    views.show(queued, as_json)


def _devices(device: str, registry: str | None) -> list[bytes]:
    """A station is in no registry: its device id is all there is."""
    if re.fullmatch(r"[0-9a-fA-F]{16}", device):
        return [bytes.fromhex(device)]
    known = open_registry(registry, must_exist=True)
    found = known.find(device)
    known.close()
    if any(record.role == "tag" for record in found):
        raise UpdateRefused(
            Text("a tag has no way to the collector", "标签无法连接采集服务"),
            Text("update it by cable: name its port", "请用数据线更新：指定其串口"),
        )
    return [record.device_id for record in found]


def _by_cable(port: str, bundle: Path, registry: str | None, as_json: bool) -> None:
    wanted = read_bundle(bundle.read_bytes())
    store = open_registry_if_there(registry)
    console = Console(stderr=as_json)

    def secret_of(device_id: bytes) -> bytes | None:
        record = store.by_device(device_id) if store is not None else None
        return record.secret.reveal() if record is not None else None

    with console.status("") as status:

        def show(step: str, share: float) -> None:
            status.update(f"{tr(*STEP_TEXTS[step])} {share:.0%}")

        report = update_device(port, wanted, secret_of, show)
    if as_json:
        typer.echo(json.dumps(asdict(report)))
        return
    done = tr("runs and is confirmed", "已运行并确认")
    console.print(f"[bold green]✔ {report.version}[/] {done} ({report.duration_s:.1f} s)")
