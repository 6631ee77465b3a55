"""Why the counter says no: each reason has a number, its own sentence and its own next action, in both languages.

The number is the first half of the support code that staff read out over the telephone.
"""

from dataclasses import dataclass

from groundnet.database.store import StoreError
from groundnet.errors import GroundnetError, Text
from groundnet.link import errors as link_errors
from groundnet.provision.label import LabelError
from groundnet.provision.registry import RegistryError
from groundnet.provision.tag_id import ALPHABET, TagIdError

_CODE_CHARACTERS = 4


@dataclass(frozen=True)
class Reason:
    """One row of the table below. ``nothing written`` holds for every number below 60."""

    name: str
    number: int
    cause: Text
    action: Text


_TABLE = (  # name, number; what happened; what to do; each in English and Chinese
    # what was scanned or typed
    ("label_damaged", 21,
     "The code was not read whole: the label is damaged", "条码没有读全：标签可能破损",
     "scan it again; if it fails again, type the code below it",
     "再扫一次；还不行，请输入码下面的编号"),
    ("foreign_code", 22,
     "This code belongs to something else", "这不是平安卡的码",
     "scan the square code on the tag's card",
     "请扫平安卡上的方形码"),
    ("other_maker", 23,
     "This is the label of another maker's device", "这是别家设备的标签",
     "scan the square code on the tag's card",
     "请扫平安卡上的方形码"),
    ("mistyped", 24,
     "The number has a typing mistake", "编号输错了一位",
     "compare it with the card and type it again",
     "请对照卡片重新输入"),
    ("other_card", 25,
     "This card belongs to another tag", "这张卡和接着的标签不是一对",
     "take the card that came with this tag, and scan it",
     "找到和这个标签配套的卡，再扫一次"),
    ("unknown_number", 26,
     "This number was not given out at this install point", "这个编号不是本安装点发放的",
     "scan the square code; if it fails too, return the tag to where it came from",
     "请扫方形码；仍不行，请把标签退回原安装点"),
    ("wrong_profile", 27,
     "This code does not go with what is chosen above", "扫到的内容和所选用途不符",
     "choose the right use (F1 to F4), then scan again",
     "先选对用途（F1 至 F4），再扫一次"),
    ("nothing_read", 28,
     "The code could not be understood", "没看懂这个码",
     "scan the square code on the tag's card",
     "请扫平安卡上的方形码"),
    ("no_tag_yet", 29,
     "No tag is connected yet", "还没有接上标签",
     "connect the tag, then scan its card",
     "先接上标签，再扫卡"),
    # what was filled in
    ("no_plate", 31,
     "The number plate is not complete", "车牌号不完整",
     "choose the province and type all letters and digits",
     "选省份，再输入全部字母和数字"),
    ("no_ear_tag", 32,
     "An ear tag number has 15 digits", "耳标号应为 15 位数字",
     "scan the ear tag, or type all 15 digits",
     "扫耳标，或输入全部 15 位数字"),
    ("no_name", 33,
     "The name is missing or longer than 16 characters", "名称没填，或超过 16 个字",
     "type 2 to 16 characters",
     "请输入 2 至 16 个字"),
    ("no_consent", 34,
     "The consent of the wearer or guardian is missing", "还没有佩戴人或监护人的同意",
     "ask them, then mark who consented",
     "当面询问，再勾选由谁同意"),
    ("bad_phone", 35,
     "The telephone number is not complete", "电话号码不完整",
     "type 11 digits, or + and the country code",
     "输入 11 位手机号，或以 + 加国家代码开头"),
    # the tag itself
    ("other_point", 41,
     "This tag belongs to another install point", "这个标签属于别的安装点",
     "return it to the point that fitted it",
     "请退回给当初安装它的安装点"),
    ("already_bound", 42,
     "This tag is already bound to somebody", "这个标签已经绑定过了",
     "keep it and call a supervisor: it may come from a theft",
     "先留下标签，请主管来看：可能是赃物上拆下的"),
    ("history", 43,
     "The tag says it is new, the registry says it is bound", "标签显示是新的，登记却已绑定",
     "put it aside for a supervisor",
     "放到一边，交主管处理"),
    ("unfit", 44,
     "This tag has not the parts for this use", "这个标签没有该用途需要的部件",
     "choose another use, or take a tag made for it",
     "换一种用途，或换一个对应型号的标签"),
    ("battery_dead", 45,
     "The tag's battery is empty", "标签的电池没电了",
     "charge it or change the battery, then connect it again",
     "充电或换电池后再接上"),
    ("part_failed", 46,
     "A part of this tag does not work", "标签的部件有故障",
     "put this tag aside and take another one",
     "把这个标签放到一边，换一个新的"),
    ("no_firmware", 47,
     "There is no program on this tag", "标签里没有程序",
     "put it aside for the engineer: it needs firmware",
     "放到一边，交技术员烧录程序"),
    ("silent", 48,
     "The tag does not answer", "标签没有应答",
     "press its reset button, or unplug it and plug it in again",
     "按一下复位键，或拔下再插一次"),
    ("port_held", 49,
     "Another program works with this tag", "别的程序正在使用这个标签",
     "close the other program",
     "请关闭那个程序"),
    ("foreign_device", 50,
     "What is connected is not a tag", "接上的不是标签",
     "unplug it and connect a tag",
     "拔掉它，接上标签"),
    ("two_tags", 51,
     "Two tags are connected", "同时接了两个标签",
     "leave only one of them connected",
     "只留下一个"),
    ("not_a_tag", 52,
     "This is not a device for owners", "这不是发给用户的设备",
     "put it aside for the engineer",
     "放到一边，交技术员"),
    ("not_allowed", 53,
     "This computer may not use the port", "这台电脑无权使用该接口",
     "call the engineer",
     "请联系技术员"),
    ("not_approved", 54,
     "No second person agreed", "没有得到另一位主管的同意",
     "have a supervisor who is not signed in here type name and PIN",
     "请另一位主管（不是当前登录的人）输入姓名和 PIN"),
    # the work on it
    ("cut_off", 61,
     "The tag was unplugged in the middle", "中途断开了连接",
     "plug the same tag in again: it goes on by itself",
     "把同一个标签再插上，会自动继续"),
    ("not_proven", 62,
     "The tag did not take its key", "标签没有正确写入密钥",
     "press Enter to try again; if it fails again, take another tag",
     "按回车重试；再失败就换一个标签"),
    ("storage", 63,
     "The tag cannot keep what is written", "标签存不住写入的内容",
     "put this tag aside and take another one",
     "把这个标签放到一边，换一个新的"),
    ("must_wait", 64,
     "The tag rests after wrong keys", "标签因密钥错误暂停接受操作",
     "leave it connected for a minute, then press Enter",
     "保持连接一分钟，再按回车"),
    ("registry", 65,
     "The registry could not be written", "登记簿无法写入",
     "do not unplug; call the engineer with the support code",
     "不要拔，把故障码告诉技术员"),
    ("unexpected", 69,
     "Something unforeseen went wrong", "出现了意外故障",
     "press Enter to try again, or call with the support code",
     "按回车重试，或报故障码求助"),
)  # fmt: skip

REASONS = {
    name: Reason(name, number, Text(cause, cause_zh), Text(action, action_zh))
    for name, number, cause, cause_zh, action, action_zh in _TABLE
}


class Refusal(GroundnetError):
    """A reason of the table, and what it was about: no key, no personal data."""

    device_id: bytes | None = None  # of the tag, where it said who it is

    def __init__(self, name: str, detail: str = "") -> None:
        self.reason = REASONS[name]
        self.detail = detail
        super().__init__(self.reason.cause, self.reason.action)


class ProvisionError(GroundnetError):
    """A device that cannot get this identity."""


class NotProven(ProvisionError):
    """The device holds, or proves, something else than was written."""


def reason_of(error: GroundnetError) -> Reason:
    """The reason that says to staff what an error of the library says to engineers."""
    if isinstance(error, Refusal):
        return error.reason
    if isinstance(error, link_errors.Refused):
        return REASONS["storage" if error.code in ("storage", "hardware") else "unexpected"]
    for kind, name in _NAMES:
        if isinstance(error, kind):
            return REASONS[name]
    return REASONS["unexpected"]


_NAMES = (
    (link_errors.PortGone, "cut_off"),
    (link_errors.PortMissing, "cut_off"),
    (link_errors.NoAnswer, "silent"),
    (link_errors.PortBusy, "port_held"),
    (link_errors.PortForbidden, "not_allowed"),
    (link_errors.BootloaderWaits, "no_firmware"),
    (link_errors.NothingToStart, "no_firmware"),
    (link_errors.ReplAnswers, "no_firmware"),
    (link_errors.ForeignDevice, "foreign_device"),
    (link_errors.ScriptRuns, "foreign_device"),
    (link_errors.NotASerialPort, "foreign_device"),
    (link_errors.WrongSecret, "other_point"),
    (link_errors.TriesExhausted, "must_wait"),
    (NotProven, "not_proven"),
    (LabelError, "label_damaged"),
    (TagIdError, "mistyped"),
    (RegistryError, "registry"),
    (StoreError, "registry"),
)


def support_code(reason: Reason, random: bytes) -> str:
    """What staff read out: the reason's number and four characters that find the row of the audit, "45-7K2F"."""
    return f"{reason.number}-" + "".join(ALPHABET[byte & 31] for byte in random[:_CODE_CHARACTERS])
