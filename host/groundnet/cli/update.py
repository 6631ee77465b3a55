"""``groundnet update``: a new version for a device in the field."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from groundnet.cli.language import tr
from groundnet.cli.options import JsonOption, RegistryOption, registry_path
from groundnet.link.update import read_bundle
from groundnet.link.update import update as update_device
from groundnet.provision.registry import Registry

app = typer.Typer(help=tr("Update a device in the field.", "现场更新设备固件。"))

STEP_TEXTS = {
    "send": ("sending", "发送"),
    "verify": ("the device verifies it", "设备校验"),
    "restart": ("the device restarts", "设备重启"),
    "confirm": ("confirming", "确认"),
}


@app.command()
def update(
    port: Annotated[str, typer.Argument(help="Serial port or PTY of the device.")],
    bundle: Annotated[Path, typer.Argument(help="A signed bundle.", exists=True, dir_okay=False)],
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the device at PORT to the version of BUNDLE; repeat it after any interruption, it goes on."""
    wanted = read_bundle(bundle.read_bytes())
    path = registry_path(registry)
    store = Registry(path) if path.exists() else None
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
