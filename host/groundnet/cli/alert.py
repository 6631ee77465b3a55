"""``groundnet alert``: what owners want to be told, and how."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from groundnet.alerts import contact as contacts
from groundnet.alerts import post, rule_book, wording
from groundnet.alerts.rules import Rule, checked
from groundnet.alerts.settings import senders
from groundnet.cli.language import tr
from groundnet.cli.options import DatabaseOption, JsonOption, RegistryOption, database_path, now_ms
from groundnet.cli.owner_door import owned
from groundnet.cli.registry_door import PassphraseFileOption, open_registry
from groundnet.collector.database import Database
from groundnet.collector.places.export import iso_time
from groundnet.errors import GroundnetError

app = typer.Typer(
    no_args_is_help=True,
    help=tr(
        "Alerts to owners by webhook, e-mail or SMS; `groundnet collect` sends them.\n\n"
        "The file of --alerts is TOML: [webhook] key_file; [mail] host, port, from, security (tls, starttls, none), "
        "user, password_file; [sms] port, baudrate.",
        "向车主发提醒：网络回调、邮件或短信；由 `groundnet collect` 发送。",
    ),
)

AlertsFileOption = Annotated[
    Path | None,
    typer.Option(
        "--alerts", help=tr("File with the ways by which alerts leave, TOML.", "提醒发送方式，TOML 文件。")
    ),
]


class When(StrEnum):
    """What an owner may be told of."""

    moved = "moved"
    left = "left"
    battery = "battery"
    silent = "silent"


class Language(StrEnum):
    """Language of the messages."""

    zh = "zh"
    en = "en"


@app.command()
def add(
    tag: Annotated[str, typer.Argument(help="Tag id, number plate or device id.")],
    when: Annotated[When, typer.Option(help="moved, left an area, battery low, or silent.")],
    to: Annotated[
        str, typer.Option(help="https://..., an e-mail address, or a phone number with country code.")
    ],
    between: Annotated[str | None, typer.Option(help="moved: only in these hours, as 22:00-06:00.")] = None,
    area: Annotated[str | None, typer.Option(help="left: LAT,LON,RADIUS_M in WGS-84.")] = None,
    percent: Annotated[float | None, typer.Option(help="battery: at or below so much.")] = None,
    hours: Annotated[float | None, typer.Option(help="silent: not heard for so long.")] = None,
    language: Annotated[Language, typer.Option(help="Language of the messages.")] = Language.zh,
    database: DatabaseOption = None,
    registry: RegistryOption = None,
    passphrase_file: PassphraseFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add an alert for the owner, who shows their token: what moves where is nobody else's business."""
    parameters = checked(when.value, {**_area(area), "between": between, "percent": percent, "hours": hours})
    address = contacts.normalise(to)
    devices = open_registry(registry, True, passphrase_file)
    store = Database(database_path(database))
    try:
        records = owned(devices, devices.find(tag), store, "alert add")
        made = rule_book.add(devices, records, when.value, parameters, address, language.value, now_ms())
    finally:
        store.close()
        devices.close()
    _print(made, as_json)


@app.command("list")
def list_(
    registry: RegistryOption = None, passphrase_file: PassphraseFileOption = None, as_json: JsonOption = False
) -> None:
    """List all alerts; addresses are shown in part."""
    devices = open_registry(registry, True, passphrase_file)
    rules = rule_book.rules(devices)
    devices.close()
    _print(rules, as_json)


@app.command()
def remove(
    number: Annotated[int, typer.Argument(help="Number of the alert, see `groundnet alert list`.")],
    registry: RegistryOption = None,
    passphrase_file: PassphraseFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """End an alert; what waits to be sent for it is withdrawn."""
    devices = open_registry(registry, True, passphrase_file)
    try:
        rule = rule_book.rule(devices, number)
        rule_book.remove(devices, rule, now_ms())
    finally:
        devices.close()
    _print([rule], as_json)


@app.command()
def test(
    number: Annotated[int, typer.Argument(help="Number of the alert, see `groundnet alert list`.")],
    alerts: AlertsFileOption = None,
    registry: RegistryOption = None,
    passphrase_file: PassphraseFileOption = None,
) -> None:
    """Send a test message of an alert right now."""
    devices = open_registry(registry, True, passphrase_file)
    try:
        rule = rule_book.rule(devices, number)
    finally:
        devices.close()
    moment_ms = now_ms()
    text = wording.text("test", rule.tag_id, {}, iso_time(moment_ms), rule.language)
    message = post.Message(0, rule.contact, "test", rule.tag_id, text, rule.language, moment_ms)
    if wrong := post.send(message, senders(alerts)):
        raise GroundnetError(wrong, tr("mend that and test again", "请排除后再试"))
    Console(highlight=False).print(
        f"[bold green]✔[/] {contacts.masked(rule.contact)}: {tr('taken', '已送达发送方')}"
    )


@app.command()
def sent(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List what was sent, waits or failed, newest first."""
    store = Database(database_path(database), must_exist=True)
    rows = post.everything(store)
    store.close()
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(
        tr("alert", "提醒"), tr("time", "时间"), tr("text", "内容"), tr("state", "状态"), tr("why", "原因")
    )
    for row in rows:
        table.add_row(
            str(row["alert_id"]), iso_time(row["time_ms"]), row["text"], row["state"], row["detail"]
        )
    Console().print(table)


def _area(text: str | None) -> dict[str, float]:
    if text is None:
        return {}
    try:
        lat, lon, radius_m = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not LAT,LON,RADIUS_M") from None
    return {"lat": lat, "lon": lon, "radius_m": radius_m}


def _print(rules: list[Rule], as_json: bool) -> None:
    rows = [
        {
            "alert": rule.rule_id,
            "tag": rule.tag_id,
            "when": rule.kind,
            **rule.parameters,
            "to": contacts.masked(rule.contact),
            "language": rule.language,
        }
        for rule in rules
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(tr("alert", "提醒"), tr("tag", "标签"), tr("when", "条件"), tr("to", "发往"))
    for rule, row in zip(rules, rows, strict=True):
        said = ", ".join(f"{name} {value}" for name, value in rule.parameters.items())
        table.add_row(str(row["alert"]), row["tag"], f"{rule.kind} {said}".strip(), row["to"])
    Console().print(table)
