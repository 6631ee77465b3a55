"""What the page says, in English and Chinese."""

from groundnet.errors import Text

LANGUAGES = ("zh", "en")
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400

WORDS = {
    "title": Text("Where is it?", "追踪台"),
    "language": Text("中文", "English"),
    "sign_in": Text("Sign in", "登录"),
    "sign_out": Text("Sign out", "退出"),
    "name": Text("Name", "姓名"),
    "pin": Text("PIN", "PIN 码"),
    "back": Text("All cases", "全部案件"),
    "cases": Text("Open cases", "在办案件"),
    "no_cases": Text("No case is open", "没有在办案件"),
    "stations": Text("Stations", "基站"),
    "no_stations": Text("No station has been heard yet", "还没有基站上线"),
    "map": Text("Map", "地图"),
    "no_place": Text("No position yet", "还没有位置"),
    "tag": Text("Tag id, plate or device id", "标签编号、车牌或设备号"),
    "document": Text("Number of the theft report", "报案编号"),
    "reason": Text("Reason", "事由"),
    "reporter": Text("Reported by", "报案人"),
    "open_case": Text("Open a case", "立案"),
    "close_case": Text("Close the case", "结案"),
    "outcome": Text("How it ended, for example: found", "结果，例如：已找回"),
    "outcome_found": Text("found", "已找回"),
    "opened": Text("opened", "立案"),
    "heard": Text("heard last", "最后信号"),
    "place": Text("last place", "最后位置"),
    "never": Text("never", "从未"),
    "silent": Text("silent", "静默"),
    "moving": Text("heard", "有信号"),
    "good": Text("working", "正常"),
    "late": Text("late", "延迟"),
    "held": Text("quarantine", "隔离"),
    "gone": Text("gone", "离线"),
    "faulty": Text("faulty", "故障"),
    "orders": Text("Orders", "指令"),
    "siren_on": Text("Siren on", "开警笛"),
    "siren_off": Text("Siren off", "关警笛"),
    "locate": Text("Locate now", "立即定位"),
    "lost_on": Text("Lost mode on", "开启丢失模式"),
    "lost_off": Text("Lost mode off", "关闭丢失模式"),
    "interval": Text("Interval", "上报间隔"),
    "arm": Text("Arm", "布防"),
    "disarm": Text("Disarm", "撤防"),
    "queued": Text("waiting for the device", "等待设备"),
    "sent": Text("sent", "已发送"),
    "obeyed": Text("obeyed", "已执行"),
    "expired": Text("too late", "已过期"),
    "withdrawn": Text("taken back", "已撤回"),
    "download": Text("Download the track", "下载轨迹"),
    "time": Text("Time", "时间"),
    "play_hint": Text("arrow keys move it", "可用方向键移动"),
    "positions": Text("positions", "个位置"),
    "stale": Text("No station has been heard for a while: what you see is old", "基站长时间没有上报：所见可能已过时"),
    "as_of": Text("newest word", "最新上报"),
    "offline": Text("No answer from the page's program; what you see is of", "页面程序没有响应，所见数据截至"),
    "fault": Text("fails", "故障"),
    "gnss": Text("satellites", "卫星"),
    "cell": Text("mobile network", "移动网络小区"),
    "sightings": Text("base stations", "基站测定"),
    "fixed": Text("fixed", "固定"),
}  # fmt: skip

HEALTH = (
    ("queued", Text("{} waiting", "待传 {}")),
    ("lost", Text("{} lost", "丢失 {}")),
    ("noise_dbm", Text("noise {} dBm", "底噪 {} dBm")),
    ("load_permille", Text("load {} ‰", "信道占用 {} ‰")),
    ("ring_permille", Text("ring {} ‰", "存储环 {} ‰")),
    ("temperature_c", Text("{} °C", "{} °C")),
    ("supply_mv", Text("{} mV", "{} mV")),
)


def say(text: str, language: str) -> str:
    """A text in the language of the page."""
    return getattr(text, "zh", text) if language == "zh" else str(text)


def age(seconds: float, language: str) -> str:
    """How long ago, in one unit."""
    count, zh, en = next(
        (int(seconds // size), zh, en)
        for size, zh, en in (
            (DAY_S, "天前", "d ago"),
            (HOUR_S, "小时前", "h ago"),
            (MINUTE_S, "分钟前", "min ago"),
            (1, "秒前", "s ago"),
        )
        if seconds >= size or size == 1
    )
    return f"{count} {zh if language == 'zh' else en}"


def health(told: dict, language: str) -> str:
    """What a station last said of itself: what fails first; figures that are unknown, and losses of none, left out."""
    failing = [f"{fault['part']}: {fault['text']}" for fault in told.get("faults") or ()]
    figures = [
        say(form, language).format(told[name])
        for name, form in HEALTH
        if told.get(name) is not None and (told[name] or name not in ("queued", "lost"))
    ]
    return ", ".join(failing + figures)
