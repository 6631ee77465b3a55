"""Why a device does not take a bundle, in words for whoever holds it; the device itself says it in English only."""

import re

from groundnet.errors import Text
from groundnet.link.errors import LinkError, Refused

_NEWER = Text("take a newer bundle", "请使用更新的固件包")
_OTHER = Text("choose the bundle for this device", "请选择适用于该设备的固件包")
_AGAIN = Text("get the bundle again, from where it was made", "请从原处重新获取固件包")
_SIGN = Text("sign it with `groundnet bundle sign`", "请用 `groundnet bundle sign` 签名")
_CERTIFY = Text(
    "sign it with a key that the device's maker has certified", "请使用设备厂商已签发证书的密钥签名"
)
_CABLE = Text("flash it once by cable: `groundnet flash`", "请先用数据线烧录一次：`groundnet flash`")

# What a device says (firmware/groundcore/bundle.py, update.py, apps/update.py) -> Chinese, next action.
TABLE = (
    (r"security counter (\d+) is below (\d+)", "安全计数器 {0} 低于设备的 {1}", _NEWER),
    (r"version (\S+) is older than (\S+)", "版本 {0} 低于设备允许的最低版本 {1}", _NEWER),
    (r"the bundle is for role '(.*)'", "固件包适用于角色“{0}”", _OTHER),
    (r"the bundle is for board '(.*)'", "固件包适用于板“{0}”", _OTHER),
    (r"the bundle is for '(.*)'", "固件包适用于产品“{0}”", _OTHER),
    (r"not for hardware revision (\d+)", "固件包不适用于硬件版本 {0}", _OTHER),
    (r"the bundle holds the other kind of image", "固件包中的映像类型不符", _OTHER),
    (
        r"the base image of this device is replaced by cable only",
        "该设备的基础映像只能通过数据线更换",
        Text("write it with `groundnet flash`", "请用 `groundnet flash` 写入"),
    ),
    (r"the boot loader would not start this image", "引导程序无法启动该映像", _OTHER),
    (
        r"the flash of this board has one place for a base image only",
        "该板的闪存只能容纳一个基础映像",
        Text("write it with `groundnet flash`", "请用 `groundnet flash` 写入"),
    ),
    (r"bytecode (\S+), but this device runs (\S+)", "固件包的字节码为 {0}，设备运行的是 {1}", _OTHER),
    (r"the bundle has expired on (\S+)", "固件包已于 {0} 过期", _NEWER),
    (
        r"the certificate of the key has expired",
        "签名密钥的证书已过期",
        Text("have the root issue a new one and sign again", "请由根密钥重新签发证书并再次签名"),
    ),
    (r"the bundle is not signed", "固件包未签名", _SIGN),
    (r"the signature block has (\d+) bytes", "签名块应为 {0} 字节", _SIGN),
    (r"no certificate of a release key", "固件包中没有发布密钥的证书", _SIGN),
    (r"no root that is trusted here certified the key", "签名密钥未经该设备信任的根密钥认证", _CERTIFY),
    (r"the signature is not that of the release key", "固件包与发布密钥所签的内容不符", _AGAIN),
    (
        r"this firmware trusts nobody: it was built without a root",
        "该设备的固件未内置任何受信任的根密钥",
        _CABLE,
    ),
    (r"no slot holds the running version: flash it once by cable", "没有保存当前版本的固件槽", _CABLE),
    (r"the bundle is cut off or has something behind it", "固件包不完整或末尾有多余内容", _AGAIN),
    (r"the bundle is damaged: its hash is another one", "固件包已损坏：哈希值不符", _AGAIN),
    (r"the image does not have the hash that the manifest names", "映像的哈希值与清单不符", _AGAIN),
    (r"no bundle: (?:too short|wrong magic)", "这不是固件包", _AGAIN),
    (r"the manifest (?:lacks something|cannot be read|is too large)", "固件包的清单已损坏", _AGAIN),
    (r"manifest or image is too large", "清单或映像过大", _OTHER),
    (r"(\d+) bytes, there is room for (\d+)", "固件包有 {0} 字节，设备只剩 {1} 字节空间", _OTHER),
)


class BundleRefused(LinkError):
    """The device runs what it ran before, and nothing of the bundle is kept. ``code`` is the wire's."""

    def __init__(self, code: str, cause: Text, action: str) -> None:
        super().__init__(cause, action)
        self.code = code


def bundle_refused(refusal: Refused) -> BundleRefused:
    """What a device answered to the handing over of a bundle, as an error that says what to do."""
    for pattern, chinese, action in TABLE:
        found = re.fullmatch(pattern, refusal.detail)
        if found:
            en = f"the device refused the bundle: {refusal.detail}"
            return BundleRefused(
                refusal.code, Text(en, f"设备拒绝了固件包：{chinese.format(*found.groups())}"), action
            )
    cause = Text(
        f"the device refused the bundle ({refusal.code}: {refusal.detail})",
        f"设备拒绝了固件包（{refusal.code}：{refusal.detail}）",
    )
    return BundleRefused(refusal.code, cause, refusal.action)
