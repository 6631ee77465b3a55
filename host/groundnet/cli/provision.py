"""``groundnet provision``: give devices their identity, list them."""

import json
import time
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from groundnet.cli.language import tr
from groundnet.cli.options import JsonOption, RegistryOption
from groundnet.cli.owner_door import token
from groundnet.cli.provision_audit import audit, forget
from groundnet.cli.provision_batch import batch
from groundnet.cli.provision_central import app as central
from groundnet.cli.provision_export import export_
from groundnet.cli.provision_people import app as people
from groundnet.cli.provision_point import change_passphrase, init, issue, load, trust
from groundnet.cli.provision_print import print_
from groundnet.cli.provision_recovery import resume, undo
from groundnet.cli.provision_serve import serve
from groundnet.cli.provision_sync import sync
from groundnet.cli.registry_door import PassphraseFileOption, open_registry
from groundnet.cli.staff_door import StaffOption, sign_in
from groundnet.link.serial_link import SerialLink
from groundnet.provision import phone as phones
from groundnet.provision import plate as plates
from groundnet.provision.operation import STEPS, Order
from groundnet.provision.operation import provision as provision_device
from groundnet.provision.refusal import Refusal
from groundnet.provision.registry import Record
from groundnet.provision.subject import Draft, subject_of
from groundnet.provision.tag_check import check_for

app = typer.Typer(no_args_is_help=True, help=tr("Give devices their identity.", "为设备写入身份。"))
app.command("print")(print_)
app.command()(serve)
app.command()(batch)
app.command("export")(export_)
app.add_typer(people, name="people")
_HELP = (
    (init, "init", "Set up an install point: registry, vault and key pair.",
     "建立安装点：登记簿、密钥库和密钥对。"),
    (trust, "trust", "Show or set the central registry whose blocks are taken.", "查看或设置所信任的中心登记簿。"),
    (issue, "issue", "Issue a block of identities to a point.", "向安装点发放号段。"),
    (load, "load", "Load a block that was issued to this point.", "装入发放给本安装点的号段。"),
    (change_passphrase, "passphrase", "Change the staff passphrase.", "更换员工口令。"),
    (resume, "resume", "Complete what was cut off, by asking the device.", "询问设备后完成被中断的操作。"),
    (undo, "undo", "Make a device blank again; a bound one by two people.", "恢复空白；已绑定的须两人办理。"),
    (audit, "audit", "Show or verify what was done here, by whom.", "查看或校验操作记录。"),
    (sync, "sync", "Tell the central registry what became of each device; each change counts once.",
     "把各设备的情况上报中心登记处；每次变更只计一次。"),
    (forget, "forget", "Delete an owner's plate, phone and consent for good.",
     "彻底删除用户的车牌、电话和同意信息。"),
    (token, "token", "Make the owner's token for seeing the track without a case.", "发放车主查询凭证。"),
)  # fmt: skip
for _command, _name, _en, _zh in _HELP:
    app.command(_name, help=tr(_en, _zh))(_command)
app.add_typer(central, name="central")


class Profile(StrEnum):
    """What the device is fixed to."""

    none = "none"
    vehicle = "vehicle"
    livestock = "livestock"
    wearable = "wearable"
    sentry = "sentry"


class Consent(StrEnum):
    """Who agreed that a person wears it."""

    wearer = "wearer"
    guardian = "guardian"


STEP_TEXTS = {
    "identify": ("asking the device who it is", "读取设备编号"),
    "reserve": ("reserving an identity", "预留身份"),
    "write": ("writing", "写入"),
    "read back": ("reading back", "回读"),
    "prove": ("the device proves its secret", "设备验证密钥"),
    "self-test": ("the device tests its parts", "设备自检"),
    "settings": ("setting clock and settings", "设置时钟与参数"),
    "lock": ("locking", "锁定"),
}


@app.command()
def one(
    port: Annotated[str, typer.Argument(help="Serial port or PTY of the device.")],
    profile: Annotated[Profile, typer.Option(help="What it is fixed to.")] = Profile.vehicle,
    plate: Annotated[str | None, typer.Option(help="Number plate of a vehicle, ear tag, or name.")] = None,
    consent: Annotated[
        Consent | None, typer.Option(help="Who agreed, for a wearable: the wearer or the guardian.")
    ] = None,
    owner_phone: Annotated[
        str | None, typer.Option(help="Phone of the owner, for alarm messages, with its country code.")
    ] = None,
    install_point: Annotated[str, typer.Option(help="Name of this install point.")] = "",
    setting: Annotated[
        list[str] | None, typer.Option(help="A firmware setting, NAME=VALUE; may repeat.")
    ] = None,
    staff: StaffOption = None,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Provision the device at PORT: write, read back, prove, test, lock. Repeat it after any interruption."""
    if profile is Profile.wearable and consent is None:
        raise Refusal("no_consent")
    if consent is not None and profile is not Profile.wearable:
        raise typer.BadParameter("only a wearable is worn by somebody who agrees", param_hint="--consent")
    order = Order(
        profile=profile.value,
        plate=_subject(profile, plate, consent) if plate else None,
        owner_phone=phones.normalise(owner_phone) if owner_phone else None,
        install_point=install_point,
        settings=dict(_assignment(text) for text in setting or []),
        consent=consent.value if consent else None,
    )
    began_s = time.monotonic()
    console = Console(stderr=as_json)
    store = open_registry(registry, passphrase_file=passphrase_file)
    try:
        sign_in(store, staff)
        with SerialLink(port) as link, console.status("") as status:
            check_for(link, profile.value)
            record = provision_device(link, store, order, progress=lambda step: _show(status, step))
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps(_public(record)))
        return
    seconds = time.monotonic() - began_s
    done = tr("is provisioned and locked", "已写入并锁定")
    console.print(f"[bold green]✔ {record.tag_id}[/] {done} ({seconds:.1f} s)")


@app.command("list")
def list_devices(
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the devices of the registry; sealed plates only with the passphrase."""
    store = open_registry(registry, True, passphrase_file, need=False)
    records = [{**_public(record), "plate": record.plate} for record in store.devices()]
    store.close()
    if as_json:
        typer.echo(json.dumps(records, ensure_ascii=False))
        return
    table = Table(
        *(tr(*titles) for titles in (("tag", "标签"), ("plate", "车牌"), ("role", "类型"), ("state", "状态")))
    )
    for record in records:
        table.add_row(record["tag_id"], record["plate"] or "", record["role"], record["state"])
    Console().print(table)


def _show(status, step: str) -> None:
    number = STEPS.index(step) + 1
    status.update(f"{number}/{len(STEPS)} {tr(*STEP_TEXTS[step])}")


def _subject(profile: Profile, text: str, consent: Consent | None) -> str:
    """In its one spelling: a plate, an ear tag number, or a name that keeps its small letters."""
    if profile in (Profile.none, Profile.vehicle):
        return plates.normalise(text)
    return subject_of(Draft(profile.value, text, consent=consent.value if consent else ""))


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"'{text}' is not NAME=VALUE")
    return name, value


def _public(record: Record) -> dict:
    """A record without its secret and without what leads to a person: plate and phone."""
    return {
        "tag_id": record.tag_id,
        "device_id": record.device_id.hex(),
        "role": record.role,
        "board": record.board,
        "profile": record.profile,
        "state": record.state,
    }
