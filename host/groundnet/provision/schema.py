"""The registry's tables, one statement a step; a file remembers how many steps it has seen. Times are Unix ms."""

_DEVICES = """CREATE TABLE {name} (
    device_id   BLOB PRIMARY KEY CHECK (length(device_id) = 8),
    number      INTEGER NOT NULL UNIQUE,
    tag_id      TEXT NOT NULL UNIQUE,
    role        TEXT NOT NULL,
    board       TEXT NOT NULL,
    profile     TEXT NOT NULL,
    plate       TEXT,
    owner_phone TEXT,
    secret      BLOB NOT NULL CHECK (length(secret) = 32),
    state       TEXT NOT NULL CHECK (state IN ('reserved', '{begun}', 'verified', 'locked')),
    operation   TEXT NOT NULL,
    changed_ms  INTEGER NOT NULL
)"""

STEPS = (
    _DEVICES.format(name="devices", begun="written"),
    "CREATE INDEX IF NOT EXISTS devices_plate ON devices (plate)",
    # A state is recorded before what it names is done, so it is `writing`; SQLite changes a CHECK by a new table.
    _DEVICES.format(name="devices_next", begun="writing"),
    """INSERT INTO devices_next SELECT device_id, number, tag_id, role, board, profile, plate, owner_phone, secret,
        CASE state WHEN 'written' THEN 'writing' ELSE state END, operation, changed_ms FROM devices""",
    "DROP TABLE devices",
    "ALTER TABLE devices_next RENAME TO devices",
    "CREATE INDEX devices_plate ON devices (plate)",
    # What was written to a device of the settings that say how often it must be heard; no secret, no phone.
    """CREATE TABLE device_settings (
        device_id BLOB NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (device_id, name))""",
)
