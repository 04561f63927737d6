-- The periods that a reader takes from record number `first_n` on: a JSON list of seconds.
CREATE TABLE term (
    reader TEXT NOT NULL,
    first_n INTEGER NOT NULL,
    periods TEXT NOT NULL,
    PRIMARY KEY (reader, first_n)
) WITHOUT ROWID;

-- The commands that came by a road and were begun, under the id that their sender gave them: what was asked (`digest`),
-- when (UTC seconds), and the answer, NULL while there is none.
CREATE TABLE command (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    road TEXT NOT NULL,
    id TEXT NOT NULL,
    digest TEXT NOT NULL,
    begun INTEGER NOT NULL,
    answer BLOB,
    UNIQUE (road, id)
);
