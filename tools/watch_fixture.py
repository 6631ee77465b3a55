"""The store that a collector filled during the virtual theft, as rows for the tests of the operators' page.

    python tools/watch_fixture.py [build/demo] [tests/watch/theft.jsonl]

From what `make demo` leaves behind. A line is [table, columns], or a row of the table above it; bytes are {"hex": ...}.
Of the registry it has which device is on what, no secrets.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from groundnet.collector.database import Database
from groundnet.provision.registry import Registry

TABLES = {  # what the page reads, and in which order its rows are written
    "stations": "station_id",
    "beacons": "received_ms, device_id, counter",
    "sightings": "time_ms, station_id, sequence",
    "fixes": "time_ms, device_id",
    "cells": "time_ms, device_id, cell",
    "cases": "case_id",
    "orders": "order_id",
}


def main(story: Path, target: Path) -> None:
    database, registry = Database(story / "collector.db", must_exist=True), Registry(story / "registry.db")
    try:
        lines = [*_devices(database, registry), *_rows(database)]
    finally:
        database.close()
        registry.close()
    target.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")


def _devices(database: Database, registry: Registry) -> Iterator[list]:
    yield ["devices", ["device_id", "role", "profile", "plate"]]
    for row in database.rows("SELECT DISTINCT device_id FROM cases ORDER BY device_id"):
        record = registry.by_device(row["device_id"])
        if record is not None:
            yield [{"hex": record.device_id.hex()}, record.role, record.profile, record.plate]


def _rows(database: Database) -> Iterator[list]:
    for table, order in TABLES.items():
        rows = database.rows(f"SELECT * FROM {table} ORDER BY {order}")
        if rows:
            yield [table, list(rows[0].keys())]
        for row in rows:
            yield [{"hex": value.hex()} if isinstance(value, bytes) else value for value in row]


if __name__ == "__main__":
    arguments = [Path(argument) for argument in sys.argv[1:]]
    main(*(arguments + [Path("build/demo"), Path("tests/watch/theft.jsonl")][len(arguments) :]))
