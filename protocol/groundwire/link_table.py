"""Messages between a device and its host: identity, session, provisioning, settings, time, log, test, update.

Each entry: (kind, name, access, fields[, later fields]). Field tuples are explained in `fields`; what each
field means is said once, in `notes`. Enumerations may only grow at their end.
"""

from groundwire.messages import FREE, SESSION, UNLOCKED

ROLES = ("unknown", "tag", "tracker", "base", "finder")
STATES = ("blank", "provisioned", "locked")
PROFILES = ("none", "vehicle", "livestock", "wearable", "sentry")
CAPABILITIES = (
    "accelerometer", "radio_lora", "radio_gfsk", "ble", "gnss", "modem", "siren", "pir",
    "strap", "button", "battery", "wifi", "external_power", "case", "buzzer", "vibration", "display", "led",
)  # fmt: skip
ERRORS = (
    "none", "unknown_kind", "malformed", "out_of_range", "not_authenticated", "refused", "locked", "busy",
    "storage", "wrong_state", "unsupported", "too_large", "hardware", "bad_signature",
)  # fmt: skip
LEVELS = ("debug", "info", "warning", "error")
TIME_SOURCES = ("none", "host", "gnss", "modem", "downlink", "collector")
TEST_RESULTS = ("passed", "failed", "skipped")
PARTS = (
    "memory", "storage", "accelerometer", "radio", "gnss", "modem", "siren", "battery", "clock",
    "pir", "strap", "button", "led", "key", "case", "supply", "link", "network", "display", "gauge", "history",
    "buzzer", "vibration", "trial", "update", "ble", "health",
)  # fmt: skip
UPDATE_STATES = ("idle", "receiving", "complete", "verified", "trial", "confirmed", "failed")

_SETTING = (("name", "text", 24), ("value", "text", 64))
_LOG_ENTRY = (
    ("sequence", "I"),
    ("boot_count", "I"),
    ("uptime_ms", "Q"),
    ("level", "enum", LEVELS),
    ("event", "text", 24),
    ("text", "text", 120),
)
_TEST = (("part", "enum", PARTS), ("result", "enum", TEST_RESULTS), ("measured", "i"), ("text", "text", 80))

MESSAGES = (
    (0x01, "identity_get", FREE, ()),
    (0x81, "identity", FREE, (
        ("device_id", "8s"),
        ("role", "enum", ROLES),
        ("state", "enum", STATES),
        ("protocol_min", "B"),
        ("protocol_max", "B"),
        ("max_payload", "H"),
        ("boot_count", "I"),
        ("hardware_revision", "B"),
        ("capabilities", "flags", CAPABILITIES),
        ("product", "text", 24),
        ("board", "text", 24),
        ("firmware", "text", 24),
    )),
    (0x02, "session_open", FREE, (("device_id", "8s"), ("initiator_nonce", "16s"))),
    (0x82, "session_challenge", FREE, (("responder_nonce", "16s"), ("responder_proof", "16s"))),
    (0x03, "session_prove", FREE, (("initiator_proof", "16s"),)),
    (0x83, "session_ready", FREE, ()),
    (0x0F, "bye", FREE, ()),
    (0x10, "provision_write", UNLOCKED, (
        ("tag_id", "text", 32),
        ("profile", "enum", PROFILES),
        ("install_point", "text", 32),
        ("secret", "32s"),
    )),
    (0x11, "provision_read", FREE, ()),
    (0x91, "provision", FREE, (
        ("state", "enum", STATES),
        ("tag_id", "text", 32),
        ("profile", "enum", PROFILES),
        ("install_point", "text", 32),
        ("check_value", "8s"),
    )),
    (0x12, "provision_prove", FREE, (("challenge", "16s"),)),
    (0x92, "provision_proof", FREE, (("proof", "16s"),)),
    (0x13, "provision_lock", UNLOCKED, (("check_value", "8s"),)),
    (0x14, "provision_erase", SESSION, (("check_value", "8s"),)),
    (0x15, "factory_reset", SESSION, (("check_value", "8s"),)),
    (0x18, "settings_read", UNLOCKED, (("first", "B"),)),
    (0x98, "settings", FREE, (("total", "B"), ("settings", "records", _SETTING, 64))),
    (0x19, "settings_write", SESSION, (("settings", "records", _SETTING, 64),)),
    (0x1A, "time_read", FREE, ()),
    (0x9A, "time", FREE, (
        ("time_ms", "Q", 0, 2**53, 2**64 - 1),
        ("uptime_ms", "Q"),
        ("source", "enum", TIME_SOURCES),
    )),
    (0x1B, "time_write", SESSION, (("time_ms", "Q", 0, 2**53),)),
    (0x1C, "log_read", SESSION, (("first_sequence", "I"), ("most", "B"))),
    (0x9C, "log", SESSION, (
        ("oldest_sequence", "I"),
        ("next_sequence", "I"),
        ("entries", "records", _LOG_ENTRY, 255),
    )),
    (0x1D, "self_test", UNLOCKED, (("parts", "flags", PARTS),)),
    (0x9D, "self_test_result", FREE, (("tests", "records", _TEST, 32),)),
    (0x1E, "service_open", SESSION, (("duration_s", "H", 1, 7200),)),
    (0x20, "update_begin", SESSION, (
        ("product", "text", 24),
        ("version", "text", 24),
        ("hardware_revision", "B"),
        ("security_counter", "I"),
        ("size_bytes", "I"),
        ("sha256", "32s"),
    )),
    (0x21, "update_block", SESSION, (("offset_bytes", "I"), ("data", "blob", 1, 240))),
    (0x22, "update_finish", SESSION, (("signature_bytes", "H"),)),
    (0x23, "update_confirm", SESSION, ()),
    (0x24, "update_abort", SESSION, ()),
    (0x25, "update_read", FREE, ()),
    (0xA5, "update_state", FREE, (
        ("state", "enum", UPDATE_STATES),
        ("next_offset_bytes", "I"),
        ("version", "text", 24),
        ("detail", "text", 80),
    )),
    (0xFE, "ack", FREE, (("request", "B"),)),
    (0xFF, "error", FREE, (
        ("request", "B"),
        ("code", "enum", ERRORS),
        ("detail", "text", 80),
    ), (
        ("retry_after_ms", "I", 0, 2**31, 2**32 - 1),
    )),
)  # fmt: skip
