-- The journal, version 3: what happened while the time was not known, and which base interval held when.

-- `stop`: when the interval ended or the event happened, in seconds since the machine started under that boot id; the
-- rest as in `record`. Rows go when they are appended as records, in the same commit.
CREATE TABLE untimed (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    boot TEXT NOT NULL,
    stop REAL NOT NULL,
    period INTEGER NOT NULL,
    uid TEXT NOT NULL,
    serial TEXT NOT NULL,
    grade INTEGER NOT NULL,
    columns TEXT,
    content NOT NULL
);
CREATE INDEX untimed_by_time ON untimed (boot, stop, id);

-- `lead`: by how much UTC is ahead of the seconds since that start, once it is known; it stays the same until all of its
-- rows are records. `dropped`: rows that were too many.
CREATE TABLE boot (boot TEXT PRIMARY KEY, lead REAL, dropped INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;

-- The base interval, in seconds, of the records from `first_n` on.
CREATE TABLE base (first_n INTEGER PRIMARY KEY, period INTEGER NOT NULL);
