"""What the page says, in English and Chinese, and how each state looks and sounds."""

from dataclasses import dataclass

from groundnet.errors import Text
from groundnet.provision.counter import State

LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Face:
    """How a state is shown: never by its colour alone."""

    word: Text
    hint: Text
    icon: str
    kind: str  # calm, busy, ask, good or bad: the colour
    sound: str = ""  # success or failure


FACES = {
    State.WAITING: Face(
        Text("Connect a tag", "请接上标签"),
        Text("It is found by itself", "接上后自动识别"),
        "plug", "calm"),
    State.LOOKING: Face(
        Text("Looking at it", "正在识别"), Text("Keep it connected", "请勿拔下"), "search", "busy"),
    State.REFUSED: Face(
        Text("Not this one", "不能用"),
        Text("Nothing was changed on it", "标签没有任何改动"),
        "cross", "bad", "failure"),
    State.FOUND: Face(
        Text("Scan the card", "请扫卡"),
        Text("The square code on the card, or type the number below it", "扫卡片上的方形码，或输入码下的编号"),
        "card", "ask"),
    State.CARDED: Face(
        Text("Whose is it?", "登记用户"),
        Text("Fill in and press Enter", "填好后按回车"), "person", "ask", "success"),
    State.WRITING: Face(
        Text("Writing", "正在写入"), Text("Do not unplug the tag", "请勿拔下标签"), "pencil", "busy"),
    State.VERIFIED: Face(
        Text("Written", "写好了"),
        Text("Compare, then press Enter to hand it over and print. Esc undoes it",
             "核对无误按回车：交付并打印。按 Esc 撤销"),
        "check", "good", "success"),
    State.LOCKING: Face(
        Text("Closing it", "正在锁定"), Text("Do not unplug the tag", "请勿拔下标签"), "lock", "busy"),
    State.DONE: Face(
        Text("Handed over", "已交付"),
        Text("Print, then unplug the tag: the next one may come", "打印后拔下标签，即可接下一个"),
        "printer", "good", "success"),
    State.UNDOING: Face(
        Text("Undoing", "正在撤销"), Text("Do not unplug the tag", "请勿拔下标签"), "back", "busy"),
    State.UNDONE: Face(
        Text("Undone", "已撤销"),
        Text("The tag is empty again. Enter begins anew with it", "标签已恢复为空。按回车重新开始"),
        "back", "calm", "success"),
    State.CUT_WRITING: Face(
        Text("Unplugged", "断开了"),
        Text("Esc gives it up", "按 Esc 放弃"),
        "unplugged", "bad", "failure"),
    State.CUT_LOCKING: Face(
        Text("Unplugged", "断开了"),
        Text("It was not handed over yet", "还没有交付"),
        "unplugged", "bad", "failure"),
    State.CUT_UNDOING: Face(
        Text("Unplugged", "断开了"),
        Text("It was not undone yet", "还没有撤销完"),
        "unplugged", "bad", "failure"),
    State.FAILED_WRITING: Face(
        Text("It failed", "没成功"),
        Text("Enter tries again, Esc undoes it", "按回车重试，按 Esc 撤销"), "cross", "bad", "failure"),
    State.FAILED_LOCKING: Face(
        Text("It failed", "没成功"), Text("Enter tries again", "按回车重试"), "cross", "bad", "failure"),
    State.FAILED_UNDOING: Face(
        Text("It failed", "没成功"), Text("Enter tries again", "按回车重试"), "cross", "bad", "failure"),
}  # fmt: skip

STEPS = (
    (1, Text("Connect", "接标签"), "plug"),
    (2, Text("Scan", "扫卡登记"), "card"),
    (3, Text("Write", "写入"), "pencil"),
    (4, Text("Print", "打印"), "printer"),
)

PROFILES = (
    ("vehicle", Text("Vehicle", "车辆"), "F1"),
    ("livestock", Text("Animal", "牲畜"), "F2"),
    ("wearable", Text("Wearer", "佩戴"), "F3"),
    ("sentry", Text("Shop", "店铺"), "F4"),
)

SUBJECTS = {
    "vehicle": Text("Number plate", "车牌号"),
    "livestock": Text("Ear tag number", "耳标号"),
    "wearable": Text("Wearer", "佩戴人"),
    "sentry": Text("Shop", "店铺名称"),
}
SUBJECT_EXAMPLES = {"vehicle": "A·12345", "livestock": "156000012345678", "wearable": "", "sentry": ""}

CONSENTS = (
    ("wearer", Text("The wearer agreed", "佩戴人本人同意")),
    ("guardian", Text("The guardian agreed", "监护人同意")),
)

PAPERS = (
    ("receipt", Text("Receipt", "回执"), "1"),
    ("card", Text("Safety card", "平安卡"), "2"),
    ("label", Text("Label", "标签贴"), "3"),
    ("zpl", Text("Thermal printer (ZPL)", "热敏打印 (ZPL)"), "4"),
)

WORDS = {
    "approval": Text(
        "A supervisor who is not signed in here may take the tag from its owner.", "另一位主管可批准解除绑定。"
    ),
    "supervisor": Text("Supervisor", "主管姓名"),
    "approve": Text("Agree and take it back", "同意解绑"),
    "title": Text("Tag counter", "平安卡安装台"),
    "language": Text("中文", "English"),
    "scan": Text("Scan, or type the number", "扫码，或输入编号"),
    "phone": Text("Owner's telephone (may stay empty)", "车主电话（可不填）"),
    "contact": Text("Telephone for alarms (may stay empty)", "报警联系电话（可不填）"),
    "province": Text("Province", "省份"),
    "other_plate": Text("other", "其他"),
    "consent": Text("Consent", "同意"),
    "consent_note": Text(
        "The tag tells where its wearer is when an alarm is raised.", "报警时，标签会给出佩戴人的位置。"
    ),
    "write": Text("Write", "写入"),
    "hand_over": Text("Hand over and print", "交付并打印"),
    "undo": Text("Undo", "撤销"),
    "again": Text("Try again", "重试"),
    "anew": Text("Begin anew", "重新开始"),
    "give_up": Text("Give up", "放弃"),
    "empty": Text("Clear the form", "清空"),
    "tag": Text("Tag", "标签"),
    "tracker": Text("Tracker", "定位器"),
    "support": Text("Support code", "故障码"),
    "number": Text("Number", "编号"),
    "battery": Text("Battery", "电池"),
    "self_test": Text("Self-test", "自检"),
    "passed": Text("passed", "通过"),
    "offline": Text("The counter's program does not answer", "安装台程序没有响应"),
    "offline_hint": Text("Start it again on this computer: groundnet provision serve",
                         "请在本机重新启动：groundnet provision serve"),
    "sign_in": Text("Sign in", "登录"),
    "sign_out": Text("Sign out", "退出"),
    "end_shift": Text("End the shift", "收班上锁"),
    "name": Text("Name", "姓名"),
    "pin": Text("PIN", "PIN 码"),
    "unlock": Text("Unlock for this shift", "开班解锁"),
    "passphrase": Text("Passphrase", "口令"),
    "locked_hint": Text("The keys of this install point are locked", "本安装点的密钥已上锁"),
    "sound": Text("Sound", "声音"),
    "seconds": Text("s", "秒"),
}  # fmt: skip


def say(text: str, language: str) -> str:
    """A text in the language of the page."""
    return getattr(text, "zh", text) if language == "zh" else str(text)
