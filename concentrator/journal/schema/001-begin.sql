-- The journal, version 1. Rows of `record` only ever get appended and, when they are too old, deleted.

-- Small facts about the file: `next` (no number below it is ever given again), `inode` and `token` (where it lives).
CREATE TABLE fact (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- The journal's id `j` of the records from `first_n` on.
CREATE TABLE epoch (first_n INTEGER PRIMARY KEY, j TEXT NOT NULL UNIQUE, begun INTEGER NOT NULL);

CREATE TABLE device (id INTEGER PRIMARY KEY, uid TEXT NOT NULL, serial TEXT NOT NULL, UNIQUE (uid, serial));

-- A list of columns, once.
CREATE TABLE layout (id INTEGER PRIMARY KEY, columns TEXT NOT NULL UNIQUE);

-- `stop`: the interval's end, UTC seconds; `layout`: NULL for an event, whose `content` is JSON.
CREATE TABLE record (
    n INTEGER PRIMARY KEY,
    period INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    device INTEGER NOT NULL,
    quality INTEGER NOT NULL,
    layout INTEGER,
    content NOT NULL
);
-- Rising in time within a period, so that a commit touches one page of it whatever the number of devices.
CREATE INDEX record_by_time ON record (period, stop, device);

-- What a reader has not settled, as ranges of numbers.
CREATE TABLE reader (name TEXT PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID;

-- A file that is owed or was sent: one device, one file period. `numbers` are its records, NULL once it is settled;
-- the row stays, so that no second file is made of the period. `oldest`: the earliest end among its records;
-- `records`: how many they are.
CREATE TABLE intent (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    reader TEXT NOT NULL,
    serial TEXT NOT NULL,
    period INTEGER NOT NULL,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    oldest INTEGER NOT NULL,
    records INTEGER NOT NULL,
    numbers BLOB,
    UNIQUE (reader, stop, start, serial)
);
CREATE INDEX intent_owed ON intent (reader, id) WHERE numbers IS NOT NULL;

-- Up to where the base records of a coarser period have been merged, UTC seconds.
CREATE TABLE merged (period INTEGER PRIMARY KEY, until INTEGER NOT NULL);
