"""``groundnet provision sync``: from an install point to the central registry."""

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from groundnet.cli.language import said, tr
from groundnet.cli.options import JsonOption, RegistryOption, now_ms
from groundnet.cli.registry_door import PassphraseFileOption, open_registry
from groundnet.database.store import StoreError
from groundnet.errors import Text
from groundnet.provision import calls, outbox
from groundnet.provision.uplink import CentralError, Uplink


def sync(
    to: Annotated[
        str,
        typer.Option("--to", help=tr("Address of the centre, https://HOST[:PORT].", "中心地址：https://主机[:端口]。")),
    ],
    token_file: Annotated[
        Path, typer.Option(help=tr("File with the token of this point.", "存有本安装点令牌的文件。"))
    ],
    ca: Annotated[
        Path | None,
        typer.Option(help=tr("Certificate of the centre's authority, PEM; default: the system's.",
                             "签发中心证书的 CA，PEM 文件；默认用系统的。")),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help=tr("Go on for ever; being offline is no trouble.", "持续运行，断网无妨。"))
    ] = False,
    every_s: Annotated[
        float,
        typer.Option("--every", min=1, help=tr("Seconds between two calls, with --watch.", "--watch 时的间隔秒数。")),
    ] = 60.0,
    tries: Annotated[
        int,
        typer.Option(min=1, help=tr("Attempts before it gives up, without --watch.", "不用 --watch 时的尝试次数。")),
    ] = 4,
    personal: Annotated[
        bool,
        typer.Option("--personal", help=tr("Tell plates, names and phones, too; else nothing personal.",
                                           "同时上报车牌、姓名和电话；默认不上报个人信息。")),
    ] = False,
    everything: Annotated[
        bool,
        typer.Option("--everything", help=tr("Also what the centre had: it was brought back from an old copy.",
                                             "全部重新上报：中心从旧备份恢复之后使用。")),
    ] = False,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    if watch and everything:
        raise typer.BadParameter("--everything is said once, without --watch")
    store = open_registry(registry, True, passphrase_file, need=personal)
    token = _token(token_file)
    try:
        with Uplink(to, token, ca) as uplink:

            def once() -> outbox.Delivery:
                return outbox.deliver(store, uplink, now_ms, personal, everything)

            if watch:
                _keep_on(once, every_s, as_json)
            delivery = _patiently(once, tries)
        left = len(outbox.waiting(store))
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps({"sent": delivery.sent, "known": delivery.known, "left": left,
                               "refused": delivery.refused, "free": delivery.free}, ensure_ascii=False))  # fmt: skip
    else:
        _say(delivery, left)
    _warn(delivery)
    if delivery.refused:
        raise outbox.refused(delivery)


def _token(file: Path) -> str:
    """Raises CentralError for a file that holds no token, before anybody is asked."""
    token = file.read_text(encoding="utf-8-sig", errors="replace").strip()
    if not token.isascii() or not token.isprintable() or len(token.split()) != 1:
        raise CentralError(
            Text(f"{file} holds no token", f"{file} 里没有令牌"),
            Text("write the token of this point into it, alone on its line", "请只写入本安装点的令牌，单独一行"),
            passing=False,
        )  # fmt: skip
    return token


def _patiently(once: Callable[[], outbox.Delivery], tries: int) -> outbox.Delivery:
    draw = random.Random()
    for failures in range(1, tries + 1):
        try:
            return once()
        except CentralError as error:
            if failures == tries or not error.passing:
                raise
            time.sleep(outbox.pause_s(failures, error.wait_s, draw))
    raise AssertionError("tries is at least 1")


def _keep_on(once: Callable[[], outbox.Delivery], every_s: float, as_json: bool) -> None:
    """Never ends by itself: a wrong token or certificate is told once and tried again, too."""
    draw = random.Random()
    failures, told, delivery = 0, "", outbox.Delivery()
    while True:
        try:
            before, delivery = delivery, once()
        except (CentralError, StoreError) as error:
            failures += 1
            passing = isinstance(error, CentralError) and error.passing
            kind = "offline" if passing else str(error)
            if kind != told:  # an offline week is one line
                _console().print(f"{said(error.cause)}; {said(error.action)}")
            told = kind
            asked_s = error.wait_s if isinstance(error, CentralError) else None
            time.sleep(outbox.pause_s(failures, asked_s, draw))
        else:
            failures, told = 0, ""
            if (delivery.sent or delivery.known) and not as_json:
                _say(delivery, len(delivery.refused))
            if (delivery.refused, delivery.free) != (before.refused, before.free):
                _warn(delivery)
            if delivery.refused and delivery.refused != before.refused:
                error = outbox.refused(delivery)
                _console().print(f"{said(error.cause)}; {said(error.action)}")
            time.sleep(every_s)


def _say(delivery: outbox.Delivery, left: int) -> None:
    arrived = delivery.sent + delivery.known
    Console(highlight=False).print(tr(f"{arrived} sent, {left} left", f"已发送 {arrived}，剩余 {left}"))


def _warn(delivery: outbox.Delivery) -> None:
    if delivery.free is not None and delivery.free < calls.FEW:
        text = tr(f"{delivery.free} identities are left here: ask for the next block",
                  f"本点只剩 {delivery.free} 个编号，请申请新的号段")  # fmt: skip
        _console().print(text)


def _console() -> Console:
    return Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
