"""Messages between a finder and its host: whom it follows, for how long, and the commands that it may put on air.

A finder holds no tag keys. It is lent a list of coming ids of one tag, and commands that the collector has signed
in advance; both are gone when the time is up. Nothing counts before `follow_finish`.
"""

from groundwire.messages import SESSION

MOST_IDS = 2048
IDS_OF_ONE = 48
MOST_COMMANDS = 16
LONGEST_S = 259200  # three days
PURPOSES = ("none", "lost", "siren", "hurry", "calm")

_COMMAND = (("purpose", "enum", PURPOSES), ("downlink", "18s"))

MESSAGES = (
    (0x60, "follow_begin", SESSION, (
        ("code", "text", 8),
        ("first_epoch", "I", 0, 2**28 - 1),
        ("count", "H", 1, MOST_IDS),
        ("expires_ms", "Q", 0, 2**53),
        ("budget_s", "I", 60, LONGEST_S),
    )),
    (0x61, "follow_ids", SESSION, (("first", "H", 0, MOST_IDS - 1), ("eids", "fixeds", 6, IDS_OF_ONE))),
    (0x62, "follow_commands", SESSION, (("commands", "records", _COMMAND, MOST_COMMANDS),)),
    (0x63, "follow_finish", SESSION, ()),
    (0x64, "follow_clear", SESSION, ()),
    (0x65, "follow_read", SESSION, ()),
    (0xE5, "following", SESSION, (
        ("code", "text", 8),
        ("first_epoch", "I", 0, 2**28 - 1),
        ("count", "H", 0, MOST_IDS),
        ("left_s", "I", 0, LONGEST_S),
        ("commands", "B", 0, MOST_COMMANDS),
    )),
)  # fmt: skip
