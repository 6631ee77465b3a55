"""One provisioning: from a blank device on a serial port to a locked one that is handed over.

identify -> reserve -> write -> read back -> prove -> self-test -> settings -> lock. Each step is idempotent: after any
crash the same call asks the device what it holds and goes on from there. A device with a part that does not work is
made blank again: it is handed to nobody.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from groundwire import keys

from groundnet.errors import Text
from groundnet.link.device import Device, Identity
from groundnet.link.serial_link import Entropy, SerialLink
from groundnet.provision import phone, self_test
from groundnet.provision.audit import Audit
from groundnet.provision.refusal import NotProven, ProvisionError, Refusal
from groundnet.provision.registry import BOUND, Record, Registry, Secret

STEPS = ("identify", "reserve", "write", "read back", "prove", "self-test", "settings", "lock")
_REPEAT = Text("repeat the command", "请重试该命令")


@dataclass(frozen=True)
class Order:
    """What staff decided for one device. ``settings`` are names and texts of the firmware's table.

    Raises GroundnetError for an owner's phone that is no E.164 number: an alarm to it would reach nobody.
    """

    profile: str
    plate: str | None = None
    owner_phone: str | None = None
    install_point: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    consent: str | None = None  # who agreed that a person wears it: wearer or guardian

    def __post_init__(self) -> None:
        for number in (self.owner_phone, self.settings.get("owner_phone")):
            if number and phone.normalise(number) != number:
                plain = phone.normalise(number)
                raise ProvisionError(
                    Text(f"'{number}' has separators", f"“{number}”含分隔符"),
                    Text(f"write it as {plain}", f"请写成 {plain}"),
                )

    def pending(self) -> dict:
        """What of it no column of the registry holds, for whoever goes on after a crash."""
        return {"install_point": self.install_point, "settings": self.settings}


def provision(
    link: SerialLink,
    registry: Registry,
    order: Order,
    progress: Callable[[str], None] = lambda step: None,
    entropy: Entropy = secrets.token_bytes,
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    tested: Callable[[Sequence[dict]], None] = lambda tests: None,
) -> Record:
    """Give the device at the link its identity; complete what an interrupted call began.

    Args:
        progress: told each of STEPS as it begins.
        entropy: source of the secret, of nonces and of the operation's id.
        now_ms: UTC in milliseconds, for the record and for the device's clock.
        tested: told what the self-test found; not where an earlier call did it.

    Raises Refusal for a device that failed its self-test and is blank again, NotProven, ProvisionError, StoreError,
    RegistryError and the errors of the link.
    """
    device = Device(link)
    operation = entropy(8).hex()
    progress("identify")
    identity = device.identity()
    progress("reserve")
    record = _reserved(registry, identity, order, operation, entropy, now_ms())
    secret = record.secret.reveal()
    if identity.state == "locked":  # bound by an earlier call: it proves who it is, and takes new settings
        _keep_install_point(device, record, order)
        progress("prove")
        _prove(device, secret, entropy)
        progress("settings")
        _write_settings(link, device, registry, record, order, now_ms())
        if record.state in BOUND:
            return record
        return registry.advance(record.device_id, "handed_over", operation, now_ms(), identity.firmware)
    progress("write")
    holds = _holds(device, identity, record, order, secret)
    verified = holds and record.state == "verified"
    if not verified:
        record = registry.advance(record.device_id, "writing", operation, now_ms(), identity.firmware)
    if not holds:
        device.write_identity(record.tag_id, record.profile, order.install_point, secret)
    progress("read back")
    _read_back(device, record, secret)
    progress("prove")
    _prove(device, secret, entropy)
    if not verified:
        progress("self-test")
        tested(_test(link, device, registry, record, now_ms))
        record = registry.advance(record.device_id, "verified", operation, now_ms(), identity.firmware)
    progress("settings")
    _write_settings(link, device, registry, record, order, now_ms())
    progress("lock")
    device.lock(secret)
    return registry.advance(record.device_id, "handed_over", operation, now_ms(), identity.firmware)


def _reserved(
    registry: Registry, identity: Identity, order: Order, operation: str, entropy: Entropy, now_ms: int
) -> Record:
    """The registry's row for this device: the one of an interrupted call, or a new one."""
    known = registry.by_device(identity.device_id)
    if known is not None:
        return _resumed(registry, known, identity, order)
    if identity.state != "blank":
        raise ProvisionError(
            Text(
                f"device {identity.device_id.hex()} already has an identity of another registry",
                f"设备 {identity.device_id.hex()} 已有其他登记簿的身份",
            ),
            Text("return it to the install point that bound it", "请退回给当初绑定它的安装点"),
        )
    draft = Record(
        device_id=identity.device_id,
        tag_id="",
        role=identity.role,
        board=identity.board,
        profile=order.profile,
        plate=order.plate,
        owner_phone=order.owner_phone,
        state="reserved",
        operation=operation,
        changed_ms=now_ms,
        secret=Secret(entropy(keys.SECRET_SIZE)),
        consent=order.consent,
    )
    return registry.reserve(draft, order.pending())


def _resumed(registry: Registry, known: Record, identity: Identity, order: Order) -> Record:
    """The row that an earlier call left, with today's decisions while the device is not bound yet."""
    device_id = identity.device_id.hex()
    both_say = (identity.state == "locked", known.state in BOUND)
    if both_say == (False, True) or (both_say == (True, False) and known.state != "verified"):
        raise ProvisionError(
            Text(
                f"device {device_id} is {identity.state}, the registry has it as {known.state}",
                f"设备 {device_id} 自称 {identity.state}，登记簿记为 {known.state}",
            ),
            Text(
                "have a supervisor look at its history before it is bound again", "请主管核对其历史后再绑定"
            ),
        )
    if identity.state != "locked":
        return registry.amend(
            known.device_id,
            order.profile,
            order.plate,
            order.owner_phone,
            order.consent,
            order.pending(),
        )
    bound = (known.plate, known.profile, known.owner_phone)
    if bound != (order.plate, order.profile, order.owner_phone or known.owner_phone):
        raise ProvisionError(
            Text(
                f"device {device_id} is bound as {known.tag_id} to {known.plate or 'no plate'} ({known.profile})",
                f"设备 {device_id} 已作为 {known.tag_id} 绑定给 {known.plate or '（无车牌）'}（{known.profile}）",
            ),
            Text(
                "bind another device: a bound one keeps its plate, profile and phone",
                "请换一个设备：已绑定的不能更改车牌、用途和电话",
            ),
        )
    return known


def _holds(device: Device, identity: Identity, record: Record, order: Order, secret: bytes) -> bool:
    """Whether the device holds exactly this identity already."""
    if identity.state == "blank":
        return False
    held = device.provision()
    wanted = (record.tag_id, record.profile, order.install_point)
    same_secret = keys.same(held.check_value, keys.check_value(secret))
    return same_secret and (held.tag_id, held.profile, held.install_point) == wanted


def _read_back(device: Device, record: Record, secret: bytes) -> None:
    held = device.provision()
    if held.tag_id != record.tag_id or held.profile != record.profile:
        raise NotProven(
            Text(f"the device reads back as '{held.tag_id}'", f"回读编号为“{held.tag_id}”"), _REPEAT
        )
    if not keys.same(held.check_value, keys.check_value(secret)):
        raise NotProven(
            Text("the device holds another secret than was written", "设备中的密钥与写入的不同"), _REPEAT
        )


def _prove(device: Device, secret: bytes, entropy: Entropy) -> None:
    if not device.proves(secret, entropy(16)):
        raise NotProven(
            Text("the device could not prove its secret", "设备未能证明其密钥"),
            Text("repeat the command; if it fails again, use another device", "请重试；再失败请换一个设备"),
        )


def _test(
    link: SerialLink, device: Device, registry: Registry, record: Record, now_ms: Callable[[], int]
) -> Sequence[dict]:
    """What the device's self-test found. Raises Refusal when it failed: then the device is blank, its row undone."""
    tests = device.self_test()
    try:
        self_test.judge(tests)
    except Refusal as refusal:
        Audit(registry).append(
            now_ms(), "self-test", refusal.reason.name, tag_id=record.tag_id, operation=record.operation
        )
        take_back(link, registry, record, now_ms, "undo")
        raise
    return tests


def take_back(
    link: SerialLink,
    registry: Registry,
    record: Record,
    now_ms: Callable[[], int],
    action: str,
    person: str = "",
) -> Record:
    """Make the device blank again, then its row undone. ``action`` and ``person`` are for the audit."""
    device = Device(link)
    identity = device.identity()
    if identity.state != "blank":
        secret = record.secret.reveal()
        link.authenticate(record.device_id, secret)
        device.erase(secret)
    return registry.advance(
        record.device_id,
        "undone",
        record.operation,
        now_ms(),
        identity.firmware,
        action=action,
        person=person,
    )


def _keep_install_point(device: Device, record: Record, order: Order) -> None:
    """The install point is written with the identity: a locked device can only keep the one it has."""
    held = device.provision().install_point
    if order.install_point not in ("", held):
        raise ProvisionError(
            Text(
                f"{record.tag_id} is locked with the install point '{held}', nothing was changed",
                f"{record.tag_id} 已锁定，安装点为“{held}”，未作改动",
            ),
            Text(
                "leave --install-point out: a bound device keeps its own",
                "请不填 --install-point：已绑定的保留原安装点",
            ),
        )


def _write_settings(
    link: SerialLink, device: Device, registry: Registry, record: Record, order: Order, now_ms: int
) -> None:
    """Clock and settings, inside a session: the one way that is open on a locked device too."""
    link.authenticate(record.device_id, record.secret.reveal())
    device.set_time(now_ms)
    settings = dict(order.settings)
    if order.owner_phone:
        settings["owner_phone"] = order.owner_phone
    device.write_settings(settings)
    registry.keep_settings(record.device_id, settings)
