#!/usr/bin/env python3
"""Makes the seeds of the target outbox, small databases as app/telemetry/outbox/database.cpp lays them out, sound and broken.

usage: make_outbox_corpus.py FOLDER
"""
import hashlib
import os
import sqlite3
import sys
import tempfile


def checksum(payload):
    return int.from_bytes(hashlib.sha256(payload.encode()).digest()[:8], "big", signed=True)


def make(rows, page_bytes=512, log=False, first=1, dropped=3):
    """The bytes of an outbox of so many rows, numbered from `first`, followed by those of its log."""
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, "outbox.db")
        db = sqlite3.connect(name, isolation_level=None)
        for pragma in (f"page_size={page_bytes}", "auto_vacuum=INCREMENTAL", "journal_mode=WAL",
                       "application_id=0x676c696d"):
            db.execute("PRAGMA " + pragma)
        db.execute("CREATE TABLE records(id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, payload TEXT NOT NULL, "
                   "checksum INTEGER NOT NULL)")
        db.execute("CREATE TABLE counts(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID")
        db.execute("INSERT INTO counts VALUES('dropped', ?)", (dropped,))
        if log:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for number in range(first, first + rows):
            payload = '{"seq": %d}' % number + " " * (40 * (number % 4))
            db.execute("INSERT INTO records VALUES(?, ?, ?, ?)",
                       (number, 1732262400000 + number % 1000, payload, checksum(payload)))
        if not log:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with open(name, "rb") as file, open(name + "-wal", "rb") as log_file:
            both = file.read() + log_file.read()
        db.close()
        return both


def changed(whole, at, byte):
    return whole[:at] + bytes([byte]) + whole[at + 1:]


def main(folder):
    some, last = make(12), make(60, first=2**63 - 60)
    seeds = {
        "empty": b"", "no_rows": make(0), "one_row": make(1), "some_rows": some, "many_rows": make(60),
        "pages_of_4096": make(3, 4096), "with_a_log": make(3, log=True), "text": b"not a database\n" * 40,
        "header_alone": some[:100], "half": some[:len(some) // 2 + 7], "cut_by_a_byte": some[:-1],
        "written_by_the_future": changed(some, 18, 3), "read_by_the_future": changed(some, 19, 3),
        "another_program": changed(some, 68, 0x68), "no_page_size": changed(some, 16, 0),
        "numbers_from_0": make(4, first=0), "numbers_below_0": make(4, first=-9), "numbers_beyond_all": last,
        "numbers_beyond_all_broken": last[:512 * 9] + b"\xff" * 512 + last[512 * 10:],
       
        "dropped_below_0": make(2, dropped=-1), "another_schema": some.replace(b"PRIMARY KEY, t", b"PRIMA\xd2Y KEY, t"),
        "schema_of_another_format": changed(some, 47, 9), "utf16": changed(some, 59, 2),
    }
    for place in (0, 3, 5, 8, 11, 12, 30):  # of the records' root page: kind, cell count, first cell, child pointer
        at = 512 * 2 + place
        seeds[f"flipped_{at}"] = changed(some, at, some[at] ^ 0x41)
    os.makedirs(folder, exist_ok=True)
    for name, content in seeds.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)


if len(sys.argv) != 2:
    sys.exit(__doc__.strip())
main(sys.argv[1])
