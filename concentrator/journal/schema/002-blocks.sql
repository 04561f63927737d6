-- Blocks: old records of one device, sealed together and out of `record` then. `first_end`, `last_end`: the bounds of
-- their interval ends, UTC seconds; `first_n`, `last_n`: of their numbers; `is_tight`: it is final, and holds what many
-- loose ones held; `directory`: where in `content` a column lies.
CREATE TABLE block (
    id INTEGER PRIMARY KEY,
    period INTEGER NOT NULL,
    device INTEGER NOT NULL,
    layout INTEGER NOT NULL,
    first_n INTEGER NOT NULL,
    last_n INTEGER NOT NULL,
    first_end INTEGER NOT NULL,
    last_end INTEGER NOT NULL,
    count INTEGER NOT NULL,
    is_tight INTEGER NOT NULL,
    directory BLOB NOT NULL,
    content BLOB NOT NULL
);
CREATE INDEX block_by_time ON block (period, last_end, device, first_end);
CREATE INDEX block_by_number ON block (last_n, first_n, period, count);
CREATE INDEX block_loose ON block (period, last_end) WHERE is_tight = 0;
