"""The collector's tables, one statement a step; a database remembers how many steps it has seen.

Only SQL that PostgreSQL takes too, but for the types' names. Times are Unix milliseconds, positions WGS-84 degrees.
"""

STEPS = (
    """CREATE TABLE stations (
        station_id BLOB PRIMARY KEY, lat REAL, lon REAL, boot_count INTEGER NOT NULL,
        seen_ms INTEGER NOT NULL, health TEXT)""",
    """CREATE TABLE beacons (
        device_id BLOB NOT NULL, counter INTEGER NOT NULL, time_ms INTEGER NOT NULL, flags INTEGER NOT NULL,
        battery INTEGER NOT NULL, PRIMARY KEY (device_id, counter))""",
    "CREATE INDEX beacons_time ON beacons (device_id, time_ms)",
    """CREATE TABLE sightings (
        station_id BLOB NOT NULL, boot_count INTEGER NOT NULL, sequence INTEGER NOT NULL,
        device_id BLOB NOT NULL, counter INTEGER NOT NULL, time_ms INTEGER NOT NULL,
        rssi_dbm INTEGER, snr_db REAL, PRIMARY KEY (station_id, boot_count, sequence))""",
    "CREATE INDEX sightings_device ON sightings (device_id, time_ms)",
    """CREATE TABLE progress (
        station_id BLOB NOT NULL, boot_count INTEGER NOT NULL, next_sequence INTEGER NOT NULL,
        PRIMARY KEY (station_id, boot_count))""",
    """CREATE TABLE reports (
        device_id BLOB NOT NULL, boot_count INTEGER NOT NULL, sequence INTEGER NOT NULL,
        PRIMARY KEY (device_id, boot_count, sequence))""",
    "CREATE TABLE rejects (reason TEXT PRIMARY KEY, count INTEGER NOT NULL)",
    """CREATE TABLE fixes (
        device_id BLOB NOT NULL, time_ms INTEGER NOT NULL, lat REAL NOT NULL, lon REAL NOT NULL,
        radius_m REAL NOT NULL, source TEXT NOT NULL, speed_mps REAL, course_deg REAL)""",
    "CREATE INDEX fixes_device ON fixes (device_id, time_ms)",
    """CREATE TABLE alarms (
        device_id BLOB NOT NULL, time_ms INTEGER NOT NULL, cause TEXT NOT NULL, level INTEGER NOT NULL)""",
    """CREATE TABLE cells (
        device_id BLOB NOT NULL, time_ms INTEGER NOT NULL, radio TEXT NOT NULL, mcc INTEGER NOT NULL,
        mnc INTEGER NOT NULL, area INTEGER, cell INTEGER, signal_dbm INTEGER, serving INTEGER NOT NULL)""",
    "CREATE INDEX cells_device ON cells (device_id, time_ms)",
    """CREATE TABLE epochs (device_id BLOB PRIMARY KEY, epoch INTEGER NOT NULL)""",
    """CREATE TABLE challenges (device_id BLOB PRIMARY KEY, challenge BLOB NOT NULL)""",
    """CREATE TABLE orders (
        order_id INTEGER PRIMARY KEY, device_id BLOB NOT NULL, command INTEGER NOT NULL,
        argument INTEGER NOT NULL, counter INTEGER, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
        state TEXT NOT NULL, sent_ms INTEGER)""",
    "CREATE INDEX orders_state ON orders (state, device_id)",
    "CREATE TABLE downlink_counters (device_id BLOB PRIMARY KEY, last INTEGER NOT NULL)",
    """CREATE TABLE cases (
        case_id INTEGER PRIMARY KEY, device_id BLOB NOT NULL, reporter TEXT NOT NULL, document TEXT NOT NULL,
        reason TEXT NOT NULL, opened_ms INTEGER NOT NULL, closed_ms INTEGER, outcome TEXT)""",
    """CREATE TABLE lookups (
        lookup_id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, who TEXT NOT NULL, device_id BLOB NOT NULL,
        what TEXT NOT NULL)""",
    "ALTER TABLE lookups ADD COLUMN why TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE lookups ADD COLUMN granted INTEGER NOT NULL DEFAULT 1",
    # A sighting is named by what was heard, which a MAC proves, and no longer by numbers that anybody can claim.
    """CREATE TABLE sightings_next (
        station_id BLOB NOT NULL, boot_count INTEGER NOT NULL, sequence INTEGER NOT NULL,
        device_id BLOB NOT NULL, counter INTEGER NOT NULL, time_ms INTEGER NOT NULL,
        rssi_dbm INTEGER, snr_db REAL, PRIMARY KEY (station_id, device_id, counter))""",
    "INSERT INTO sightings_next SELECT * FROM sightings WHERE true ON CONFLICT DO NOTHING",
    "DROP TABLE sightings",
    "ALTER TABLE sightings_next RENAME TO sightings",
    "CREATE INDEX sightings_device ON sightings (device_id, time_ms)",
    "DROP TABLE progress",
    "ALTER TABLE beacons ADD COLUMN received_ms INTEGER NOT NULL DEFAULT 0",
    "UPDATE beacons SET received_ms = time_ms",
    "ALTER TABLE reports ADD COLUMN received_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE orders ADD COLUMN ordered_by TEXT NOT NULL DEFAULT ''",
    """CREATE TABLE faults (
        device_id BLOB NOT NULL, part TEXT NOT NULL, text TEXT NOT NULL, since_ms INTEGER NOT NULL,
        PRIMARY KEY (device_id, part))""",
    """CREATE TABLE starts (
        device_id BLOB NOT NULL, time_ms INTEGER NOT NULL, cause TEXT NOT NULL)""",
    "CREATE INDEX starts_device ON starts (device_id, time_ms)",
    """CREATE TABLE dropped (
        device_id BLOB NOT NULL, time_ms INTEGER NOT NULL, count INTEGER NOT NULL)""",
    "CREATE INDEX dropped_device ON dropped (device_id)",
    "CREATE TABLE heartbeats (device_id BLOB PRIMARY KEY, time_ms INTEGER NOT NULL, interval_s INTEGER NOT NULL)",
    """CREATE TABLE bundles (
        sha256 BLOB PRIMARY KEY, version TEXT NOT NULL, security_counter INTEGER NOT NULL, data BLOB NOT NULL)""",
    """CREATE TABLE updates (
        update_id INTEGER PRIMARY KEY, device_id BLOB NOT NULL, sha256 BLOB NOT NULL, state TEXT NOT NULL,
        offset_bytes INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL DEFAULT '', created_ms INTEGER NOT NULL,
        changed_ms INTEGER NOT NULL, ordered_by TEXT NOT NULL)""",
    "CREATE INDEX updates_device ON updates (device_id, state)",
    "ALTER TABLE lookups ADD COLUMN hash BLOB",
    """CREATE TABLE lookup_head (
        only_one INTEGER PRIMARY KEY CHECK (only_one = 1), lookup_id INTEGER NOT NULL, hash BLOB NOT NULL)""",
    "ALTER TABLE cases ADD COLUMN stolen_ms INTEGER",
    """CREATE TABLE batteries (
        device_id BLOB PRIMARY KEY, time_ms INTEGER NOT NULL, battery_mv INTEGER, percent INTEGER)""",
    """CREATE TABLE alert_states (
        rule_id INTEGER PRIMARY KEY, holds INTEGER NOT NULL, changed_ms INTEGER NOT NULL)""",
    """CREATE TABLE alert_queue (
        alert_id INTEGER PRIMARY KEY, rule_id INTEGER NOT NULL, device_id BLOB NOT NULL, kind TEXT NOT NULL,
        text TEXT NOT NULL, time_ms INTEGER NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL,
        next_ms INTEGER NOT NULL, detail TEXT NOT NULL)""",
    "CREATE INDEX alert_queue_state ON alert_queue (state, next_ms)",
    # Two starts may be of the same time: which one came later is told by a number of ours.
    """CREATE TABLE starts_next (
        start_id INTEGER PRIMARY KEY, device_id BLOB NOT NULL, time_ms INTEGER NOT NULL, cause TEXT NOT NULL)""",
    "INSERT INTO starts_next (device_id, time_ms, cause) SELECT device_id, time_ms, cause FROM starts ORDER BY time_ms",
    "DROP TABLE starts",
    "ALTER TABLE starts_next RENAME TO starts",
    "CREATE INDEX starts_device ON starts (device_id, time_ms)",
    """CREATE TABLE station_sessions (
        station_id BLOB PRIMARY KEY, initiator_nonce BLOB NOT NULL, responder_nonce BLOB NOT NULL,
        proved INTEGER NOT NULL, seen INTEGER NOT NULL)""",
    """CREATE TABLE station_refusals (
        station_id BLOB NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL, place TEXT NOT NULL, PRIMARY KEY (station_id, reason))""",
    """CREATE TABLE station_proofs (
        station_id BLOB PRIMARY KEY, last_ms INTEGER NOT NULL, place TEXT NOT NULL)""",
    """CREATE TABLE station_spans (
        station_id BLOB NOT NULL, since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,
        PRIMARY KEY (station_id, since_ms))""",
    "CREATE INDEX station_spans_until ON station_spans (until_ms)",
    """CREATE TABLE station_ears (
        station_id BLOB PRIMARY KEY, level_dbm REAL NOT NULL, exponent REAL NOT NULL, spread_db REAL NOT NULL,
        faintest_dbm REAL, level_sd_db REAL NOT NULL, exponent_sd REAL NOT NULL, samples INTEGER NOT NULL,
        learned_ms INTEGER NOT NULL)""",
    # Which epochs changed since a collector looked last: several collectors hear the same tags.
    "ALTER TABLE epochs ADD COLUMN change INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX epochs_change ON epochs (change)",
    # The newest beacon of each tag, so that a newer one needs no question to the two large tables.
    "ALTER TABLE epochs ADD COLUMN counter INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE epochs ADD COLUMN time_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE epochs ADD COLUMN received_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE epochs ADD COLUMN flags INTEGER NOT NULL DEFAULT 0",
    """UPDATE epochs SET counter = coalesce(
        (SELECT max(b.counter) FROM beacons b WHERE b.device_id = epochs.device_id), epoch * 16)""",
    """UPDATE epochs SET
        time_ms = coalesce((SELECT b.time_ms FROM beacons b
            WHERE b.device_id = epochs.device_id AND b.counter = epochs.counter), 0),
        received_ms = coalesce((SELECT b.received_ms FROM beacons b
            WHERE b.device_id = epochs.device_id AND b.counter = epochs.counter), 0),
        flags = coalesce((SELECT b.flags FROM beacons b
            WHERE b.device_id = epochs.device_id AND b.counter = epochs.counter), 0)""",
    """CREATE TABLE unresolved (
        entry_id INTEGER PRIMARY KEY, station_id BLOB NOT NULL, boot_count INTEGER NOT NULL,
        sequence INTEGER NOT NULL, beacon BLOB NOT NULL, time_ms INTEGER NOT NULL, rssi_dbm INTEGER,
        snr_cdb INTEGER, received_ms INTEGER NOT NULL, eid BLOB NOT NULL, searched INTEGER NOT NULL,
        UNIQUE (station_id, beacon))""",
    "CREATE INDEX unresolved_eid ON unresolved (eid)",
    "CREATE INDEX unresolved_searched ON unresolved (searched)",
    # One tree instead of three, in the order in which they are read: a device's beacons, each with its stations.
    """CREATE TABLE sightings_next (
        station_id BLOB NOT NULL, boot_count INTEGER NOT NULL, sequence INTEGER NOT NULL,
        device_id BLOB NOT NULL, counter INTEGER NOT NULL, time_ms INTEGER NOT NULL,
        rssi_dbm INTEGER, snr_db REAL, PRIMARY KEY (device_id, counter, station_id)) WITHOUT ROWID""",
    "INSERT INTO sightings_next SELECT * FROM sightings",
    "DROP TABLE sightings",
    "ALTER TABLE sightings_next RENAME TO sightings",
    # What each tag's clock does, see clock_drift.py; counter, time and flags of the last beacon that was taken in.
    """CREATE TABLE clocks (
        device_id BLOB PRIMARY KEY, counter INTEGER NOT NULL, time_ms INTEGER NOT NULL, flags INTEGER NOT NULL,
        rate REAL NOT NULL, overhead_ms REAL NOT NULL, rate_var REAL NOT NULL, rate_overhead_cov REAL NOT NULL,
        overhead_var REAL NOT NULL, rest_ms INTEGER NOT NULL, moving_ms INTEGER NOT NULL, pairs INTEGER NOT NULL,
        refused INTEGER NOT NULL, refused_in_a_row INTEGER NOT NULL, learned_ms INTEGER NOT NULL)""",
    # Stations that misbehave, see quarantine.py; the second table is never written over.
    """CREATE TABLE station_quarantine (
        station_id BLOB PRIMARY KEY, rule TEXT NOT NULL, detail TEXT NOT NULL, since_ms INTEGER NOT NULL,
        until_ms INTEGER, times INTEGER NOT NULL, held_by TEXT NOT NULL, released_ms INTEGER)""",
    """CREATE TABLE station_quarantine_acts (
        act_id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, station_id BLOB NOT NULL, act TEXT NOT NULL,
        rule TEXT NOT NULL, detail TEXT NOT NULL, who TEXT NOT NULL)""",
)
