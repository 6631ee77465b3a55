"""Update a device in the field: hand it a signed bundle, wait for its restart, confirm what it tries.

The device judges the bundle and keeps the old version until the new one is confirmed (firmware/apps). What was
sent stays there when the cable is pulled: the next attempt goes on at the offset that the device names.
"""

import hashlib
import json
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from groundnet.errors import GroundnetError, Text
from groundnet.link.device import Device, Identity
from groundnet.link.errors import LinkError, NoAnswer, PortGone, PortMissing, Refused
from groundnet.link.ports import SerialPort, serial_ports
from groundnet.link.replug import await_return
from groundnet.link.serial_link import SerialLink
from groundnet.link.update_refusal import bundle_refused

BLOCK_BYTES = 240  # of an update_block
SIGNATURE_BYTES = 2969  # certificate and signature at the end of a bundle
REPLUGS_MAX = 20
RESTART_PATIENCE_S = 90.0  # copying the image into its place, and the start
_ANSWER_S = 20.0  # the device verifies two signatures before it answers
_LOOK_EVERY_S = 0.5
_BUSY_S = 1.0
_BUSY_TRIES = 20
_HEAD = struct.Struct("<4sII")

Progress = Callable[[str, float], None]
SecretOf = Callable[[bytes], bytes | None]


class NoBundle(GroundnetError):
    """The file is none, or is not signed."""


class UpdateFailed(LinkError):
    """The device runs the version that it ran before."""


@dataclass(frozen=True)
class Bundle:
    """A bundle file, and what its manifest says."""

    data: bytes
    manifest: dict[str, Any]

    @property
    def version(self) -> str:
        return str(self.manifest["version"])


@dataclass(frozen=True)
class UpdateReport:
    """How an update went. ``resumed_at`` is the first offset of this attempt, ``replugs`` how often the cable went."""

    device_id: str
    version: str
    size_bytes: int
    resumed_at: int
    replugs: int
    duration_s: float


def read_bundle(data: bytes) -> Bundle:
    """The bundle in a file. Raises NoBundle; whether a device takes it is the device's to say."""
    try:
        magic, manifest_bytes, image_bytes = _HEAD.unpack_from(data)
        manifest = json.loads(data[_HEAD.size : _HEAD.size + manifest_bytes]) if magic == b"GNB1" else None
        assert isinstance(manifest, dict)
        for name in ("product", "version", "hardware_revisions", "security_counter"):
            manifest[name]
    except (struct.error, ValueError, AssertionError, KeyError):
        raise NoBundle(
            Text("the file is no bundle", "该文件不是固件包"),
            Text(
                "name a file that `groundnet bundle build` made",
                "请指定由 `groundnet bundle build` 生成的文件",
            ),
        ) from None
    if len(data) == _HEAD.size + manifest_bytes + image_bytes:
        raise NoBundle(
            Text("the bundle is not signed", "该固件包没有签名"),
            Text("sign it with `groundnet bundle sign`", "请用 `groundnet bundle sign` 签名"),
        )
    return Bundle(data, manifest)


def update(
    port: str,
    bundle: Bundle,
    secret_of: SecretOf,
    progress: Progress = lambda step, share: None,
    patience_s: float = RESTART_PATIENCE_S,
) -> UpdateReport:
    """Bring the device at ``port`` to the bundle's version.

    Args:
        secret_of: device id -> the secret that opens a session, None when it is not known.
        progress: is told the step ("send", "verify", "restart", "confirm") and how much of it is done, 0 to 1.
        patience_s: for the device to come back after a replug or its restart.

    Raises LinkError: BundleRefused with the device's own reason, UpdateFailed when it took the version back, and what a
    SerialLink raises.
    """
    return _Run(port, bundle, secret_of, progress, patience_s).run()


class _Run:
    """One update of one device."""

    def __init__(
        self, port: str, bundle: Bundle, secret_of: SecretOf, progress: Progress, patience_s: float
    ) -> None:
        self._place = next((found for found in serial_ports() if found.path == port), SerialPort(port))
        self._bundle = bundle
        self._secret_of = secret_of
        self._progress = progress
        self._patience_s = patience_s
        self._identity: Identity | None = None
        self._resumed_at: int | None = None
        self._replugs = 0

    def run(self) -> UpdateReport:
        began_s = time.monotonic()
        self._replugging(self._send)
        self._progress("restart", 0.0)
        self._replugging(self._confirm)
        assert self._identity is not None
        return UpdateReport(
            device_id=self._identity.device_id.hex(),
            version=self._bundle.version,
            size_bytes=len(self._bundle.data),
            resumed_at=self._resumed_at or 0,
            replugs=self._replugs,
            duration_s=round(time.monotonic() - began_s, 1),
        )

    def _replugging(self, step: Callable[[], bool]) -> bool:
        while True:
            try:
                return step()
            except (PortGone, NoAnswer):
                self._replugs += 1
                if self._replugs > REPLUGS_MAX:
                    raise
                self._place = await_return(self._place, self._patience_s)

    def _link(self) -> SerialLink:
        link = SerialLink(self._place.path, timeout_s=_ANSWER_S)
        try:
            identity = Device(link).identity()
            if self._identity is not None and identity.device_id != self._identity.device_id:
                raise UpdateFailed(
                    Text("another device is at the port now", "该端口现在连接的是另一台设备"),
                    Text("plug the first one in and repeat the command", "请接回原设备，再运行一次该命令"),
                )
            self._identity = identity
            if identity.state != "blank":
                link.authenticate(identity.device_id, self._secret(identity))
        except BaseException:
            link.close()
            raise
        return link

    def _secret(self, identity: Identity) -> bytes:
        secret = self._secret_of(identity.device_id)
        if secret is None:
            raise UpdateFailed(
                Text(
                    f"the registry does not know the device {identity.device_id.hex()}",
                    f"登记库中没有设备 {identity.device_id.hex()}",
                ),
                Text("name the registry that it was provisioned with", "请指定写入该设备时使用的登记库"),
            )
        return secret

    def _send(self) -> bool:
        """Hand the bundle over, unless its version waits for its confirmation already."""
        with self._link() as link:
            state = link.ask("update_read").values
            if state["state"] in ("verified", "trial") and state["version"] == self._bundle.version:
                return True
            try:
                self._transfer(link)
                self._progress("verify", 0.0)
                link.ask("update_finish", signature_bytes=SIGNATURE_BYTES)
            except Refused as refusal:
                raise bundle_refused(refusal) from refusal
            self._progress("verify", 1.0)
        return True

    def _transfer(self, link: SerialLink) -> None:
        data, manifest = self._bundle.data, self._bundle.manifest
        link.ask(
            "time_write", time_ms=int(time.time() * 1000)
        )  # a device without a clock cannot tell what has expired
        revisions = manifest["hardware_revisions"]
        state = link.ask(
            "update_begin",
            product=manifest["product"],
            version=manifest["version"],
            hardware_revision=revisions[0] if len(revisions) == 1 else 0,
            security_counter=manifest["security_counter"],
            size_bytes=len(data),
            sha256=hashlib.sha256(data).digest(),
        ).values
        if self._resumed_at is None:
            self._resumed_at = state["next_offset_bytes"]
        while (offset := state["next_offset_bytes"]) < len(data):
            self._progress("send", offset / len(data))
            state = link.ask(
                "update_block", offset_bytes=offset, data=data[offset : offset + BLOCK_BYTES]
            ).values
        self._progress("send", 1.0)

    def _confirm(self) -> bool:
        """Wait until the device is back, see what runs there, and confirm it. Raises UpdateFailed."""
        deadline_s = time.monotonic() + self._patience_s
        while True:
            try:
                with self._link() as link:
                    if self._judge(link):
                        return True
            except (NoAnswer, PortGone, PortMissing):
                if time.monotonic() > deadline_s:
                    raise
            time.sleep(_LOOK_EVERY_S)

    def _judge(self, link: SerialLink) -> bool:
        """True when it is confirmed, False when the restart is still to come."""
        state = link.ask("update_read").values
        if state["state"] == "verified":
            return False
        if state["state"] != "trial" or state["version"] != self._bundle.version:
            why = state["detail"] or state["state"]
            raise UpdateFailed(
                Text(
                    f"the device took version {self._bundle.version} back: {why}",
                    f"设备已撤回版本 {self._bundle.version}：{why}",
                ),
                Text(
                    "it runs the version before; correct the bundle and repeat the command",
                    "设备仍运行原版本；请修正固件包后重试",
                ),
            )
        self._progress("confirm", 0.0)
        for left in reversed(range(_BUSY_TRIES)):
            try:
                link.ask("update_confirm")
                break
            except Refused as refusal:
                if refusal.code != "busy" or not left:
                    raise
                time.sleep(_BUSY_S)
        self._progress("confirm", 1.0)
        return True
