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

# `sealed` says whether secret, owner and pending are under the vault; then plate, phone and consent are in owner alone
# and plate_key finds them. `pending` is what staff ordered, until it is done.
_SEALABLE_DEVICES = """CREATE TABLE devices_next (
    device_id   BLOB PRIMARY KEY CHECK (length(device_id) = 8),
    number      INTEGER NOT NULL UNIQUE,
    tag_id      TEXT NOT NULL UNIQUE,
    role        TEXT NOT NULL,
    board       TEXT NOT NULL,
    profile     TEXT NOT NULL,
    plate       TEXT,
    owner_phone TEXT,
    consent     TEXT,
    owner       BLOB,
    plate_key   BLOB,
    pending     BLOB,
    sealed      INTEGER NOT NULL,
    secret      BLOB NOT NULL CHECK (length(secret) = CASE sealed WHEN 0 THEN 32 ELSE 60 END),
    state       TEXT NOT NULL
                CHECK (state IN ('reserved', 'writing', 'verified', 'handed_over', 'synced', 'undone')),
    operation   TEXT NOT NULL,
    changed_ms  INTEGER NOT NULL,
    CHECK (sealed = 0 OR (plate IS NULL AND owner_phone IS NULL AND consent IS NULL))
)"""

_POINT = """CREATE TABLE point (
    only_one    INTEGER PRIMARY KEY CHECK (only_one = 1),
    point_id    TEXT NOT NULL,
    name        TEXT NOT NULL,
    own_ids     INTEGER NOT NULL,
    vault       BLOB NOT NULL,
    public_key  BLOB NOT NULL,
    private_key BLOB NOT NULL,
    made_ms     INTEGER NOT NULL
)"""

# A block is issued here for another point, or was loaded here; the ids of a loaded one wait for their devices.
_BLOCKS = """CREATE TABLE blocks (
    block_id    TEXT PRIMARY KEY,
    point_id    TEXT NOT NULL,
    direction   TEXT NOT NULL CHECK (direction IN ('issued', 'loaded')),
    first       INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    changed_ms  INTEGER NOT NULL
)"""

_IDENTITIES = """CREATE TABLE identities (
    number      INTEGER PRIMARY KEY,
    tag_id      TEXT NOT NULL UNIQUE,
    block_id    TEXT NOT NULL REFERENCES blocks (block_id),
    sealed      INTEGER NOT NULL,
    secret      BLOB NOT NULL CHECK (length(secret) = CASE sealed WHEN 0 THEN 32 ELSE 60 END)
)"""

_AUDIT = """CREATE TABLE audit (
    sequence    INTEGER PRIMARY KEY,
    time_ms     INTEGER NOT NULL,
    who         TEXT NOT NULL,
    person      TEXT NOT NULL,
    point       TEXT NOT NULL,
    tag_id      TEXT NOT NULL,
    operation   TEXT NOT NULL,
    action      TEXT NOT NULL,
    result      TEXT NOT NULL,
    support     TEXT NOT NULL,
    versions    TEXT NOT NULL,
    hash        BLOB NOT NULL
)"""

# The last row, and up to where the vault vouches for it.
_AUDIT_HEAD = """CREATE TABLE audit_head (
    only_one    INTEGER PRIMARY KEY CHECK (only_one = 1),
    sequence    INTEGER NOT NULL,
    hash        BLOB NOT NULL,
    keyed_sequence INTEGER NOT NULL,
    keyed_mac   BLOB NOT NULL
)"""

_PEOPLE = """CREATE TABLE people (
    name        TEXT PRIMARY KEY,
    role        TEXT NOT NULL CHECK (role IN ('staff', 'supervisor')),
    salt        BLOB NOT NULL,
    digest      BLOB NOT NULL,
    wrong       INTEGER NOT NULL DEFAULT 0,
    waits_until_ms INTEGER NOT NULL DEFAULT 0,
    added_ms    INTEGER NOT NULL
)"""

# A centre's Ed25519 key, the centre that a point trusts, and the points that a centre has issued blocks to.
_SIGNING = """CREATE TABLE signing (
    only_one    INTEGER PRIMARY KEY CHECK (only_one = 1),
    public_key  BLOB NOT NULL,
    private_key BLOB NOT NULL,
    sealed      INTEGER NOT NULL
)"""

_CENTRE = """CREATE TABLE centre (
    only_one    INTEGER PRIMARY KEY CHECK (only_one = 1),
    name        TEXT NOT NULL,
    public_key  BLOB NOT NULL,
    mac         BLOB NOT NULL,
    trusted_ms  INTEGER NOT NULL
)"""

_KNOWN_POINTS = """CREATE TABLE known_points (
    point_id    TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    public_key  BLOB NOT NULL,
    known_ms    INTEGER NOT NULL
)"""

# At a point: what of each device the central registry has to know (see `revisions`).
_UPLINK = """CREATE TABLE uplink (
    device_id   BLOB PRIMARY KEY,
    revision    INTEGER NOT NULL,
    sent        INTEGER NOT NULL,
    bound_ms    INTEGER NOT NULL,
    forgotten   INTEGER NOT NULL
)"""

# At a centre: the latest that each point told of each device (see `arrivals`), and when it last called.
_ARRIVED = """CREATE TABLE arrived (
    point       TEXT NOT NULL,
    device_id   BLOB NOT NULL CHECK (length(device_id) = 8),
    tag_id      TEXT NOT NULL,
    operation   TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    bound       INTEGER NOT NULL,
    bound_ms    INTEGER NOT NULL,
    said        TEXT NOT NULL,
    owner       BLOB,
    sealed      INTEGER NOT NULL,
    arrived_ms  INTEGER NOT NULL,
    PRIMARY KEY (point, device_id)
)"""

_CALLS = """CREATE TABLE calls (
    point       TEXT PRIMARY KEY,
    last_ms     INTEGER NOT NULL,
    free        INTEGER,
    waiting     INTEGER NOT NULL
)"""

# At a point: the centre's signatures by which it shows which blocks it got.
_RECEIPTS = """CREATE TABLE receipts (
    block_id    TEXT PRIMARY KEY REFERENCES blocks (block_id),
    receipt     BLOB NOT NULL
)"""

# Devices as they came, and came again with another secret: what a running collector has to learn.
_FRESH = """CREATE TABLE fresh (
    sequence    INTEGER PRIMARY KEY,
    device_id   BLOB NOT NULL
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
    # A locked device is one that was handed over; what follows may be sealed.
    _SEALABLE_DEVICES,
    """INSERT INTO devices_next SELECT device_id, number, tag_id, role, board, profile, plate, owner_phone, NULL, NULL,
        NULL, NULL, 0, secret, CASE state WHEN 'locked' THEN 'handed_over' ELSE state END, operation, changed_ms
        FROM devices""",
    "DROP TABLE devices",
    "ALTER TABLE devices_next RENAME TO devices",
    "CREATE INDEX devices_plate ON devices (plate)",
    "CREATE INDEX devices_plate_key ON devices (plate_key)",
    _POINT,
    _BLOCKS,
    _IDENTITIES,
    _AUDIT,
    _AUDIT_HEAD,
    """CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
    """CREATE TRIGGER audit_keeps_values BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
    _PEOPLE,
    # SHA-256 of what only the owner has.
    "CREATE TABLE owner_tokens (device_id BLOB PRIMARY KEY, digest BLOB NOT NULL, made_ms INTEGER NOT NULL)",
    _SIGNING,
    _CENTRE,
    _KNOWN_POINTS,
    # What owners want to be told: `said` is contact and parameters, sealed where there is a vault.
    """CREATE TABLE alert_rules (
        rule_id INTEGER PRIMARY KEY, device_id BLOB NOT NULL, kind TEXT NOT NULL, language TEXT NOT NULL,
        sealed INTEGER NOT NULL, said BLOB NOT NULL, made_ms INTEGER NOT NULL)""",
    _UPLINK,
    """INSERT INTO uplink SELECT device_id, changed_ms, CASE state WHEN 'synced' THEN changed_ms ELSE 0 END,
        changed_ms, 0 FROM devices WHERE state IN ('handed_over', 'synced')""",
    _ARRIVED,
    "CREATE INDEX arrived_device ON arrived (device_id)",
    "CREATE INDEX arrived_tag ON arrived (tag_id)",
    _CALLS,
    _RECEIPTS,
    _FRESH,
)
