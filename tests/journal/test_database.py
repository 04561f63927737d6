import shutil
import sqlite3

import pytest

from concentrator.journal.database import PAGE_BYTES, SCHEMA, open_database, translated
from concentrator.model.errors import Full, JournalError, UnknownSchema

STAMP = "20261118T120000Z"
NEWER = 1 + sum(1 for _ in SCHEMA.iterdir())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


def opened(path, schema=SCHEMA):
    database = open_database(path, STAMP, schema)
    database.note_place(1)
    return database


def begun(path):
    """A good journal file, closed."""
    database = opened(path)
    database.connection.execute("INSERT INTO device (uid, serial) VALUES ('main', 'S1')")
    database.close()
    return path


def devices(database):
    return database.connection.execute("SELECT uid FROM device").fetchall()


def dump(database):
    return sorted(row[0] for row in database.connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL"))


def test_a_missing_file_is_made(path):
    database = opened(path)
    assert database.is_new
    assert path.exists()
    database.close()


def test_a_file_is_found_again(path):
    database = opened(begun(path))
    assert (database.is_new, database.is_copy, devices(database)) == (False, False, [("main",)])
    database.close()


def test_a_commit_is_synced_and_written_ahead(path):
    database = opened(path)
    assert database.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.connection.execute("PRAGMA synchronous").fetchone() == (2,)
    database.close()


def test_a_closed_file_stands_alone(path):
    begun(path)
    assert sorted(file.name for file in path.parent.iterdir()) == ["journal.db", "journal.db.mark"]


def test_what_a_crash_left_of_a_new_file_does_no_harm(path):
    path.with_name("journal.db.new").write_bytes(b"half a file")
    database = opened(path)
    assert database.is_new
    database.close()
    assert not path.with_name("journal.db.new").exists()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b"\0" * 8192), id="zeros"),
        pytest.param(lambda path: path.write_bytes(b"no journal at all" * 99), id="another file"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-4096]), id="cut off"),
        pytest.param(lambda path: overwrite(path, PAGE_BYTES + 8, b"\xff" * 40), id="a damaged page"),
        pytest.param(lambda path: sqlite3.connect(path).execute("PRAGMA user_version = 0"), id="no journal's version"),
    ],
)
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(path, damage):
    damage(begun(path))
    damaged = path.read_bytes()
    database = opened(path)
    assert database.is_new
    assert database.damage
    assert database.kept_as == f"journal.db.corrupt-{STAMP}"
    assert path.with_name(database.kept_as).read_bytes() == damaged
    assert devices(database) == []
    database.close()


def overwrite(path, at, data):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def test_of_a_large_file_what_was_written_last_is_checked(path, monkeypatch):
    database = opened(path)
    rows = [(n, 10, n, 1, 0, None, "x" * 200) for n in range(1, 2000)]
    database.connection.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    database.close()
    monkeypatch.setattr("concentrator.journal.database.CHECKED_BYTES", 0)
    good = opened(path)
    assert not good.is_new
    good.close()
    newest = path.read_bytes().rfind(b"x" * 200)
    overwrite(path, newest // PAGE_BYTES * PAGE_BYTES, b"\xff" * 40)
    database = opened(path)
    assert database.kept_as
    database.close()


def test_two_files_damaged_in_one_second_are_both_kept(path):
    for damage in (b"first", b"second"):
        path.write_bytes(damage * 999)
        opened(path).close()
    kept = [file.read_bytes()[:5] for file in path.parent.glob("journal.db.corrupt-*")]
    assert sorted(kept) == [b"first", b"secon"]


def test_the_log_of_a_file_that_is_gone_is_not_played_into_a_new_one(path):
    begun(path)
    old = sqlite3.connect(path)
    old.execute("INSERT INTO device (uid, serial) VALUES ('other', 'S2')")
    old.commit()
    log = path.with_name("journal.db-wal").read_bytes()
    old.close()
    path.unlink()
    path.with_name("journal.db-wal").write_bytes(log)
    database = opened(path)
    assert devices(database) == []
    assert database.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_a_file_of_a_newer_version_is_left_alone(path):
    connection = sqlite3.connect(begun(path))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(UnknownSchema, match=f"found version 99, expected at most {NEWER - 1}"):
        open_database(path, STAMP)
    assert path.read_bytes() == before
    with pytest.raises(UnknownSchema):
        open_database(path, STAMP)


def test_a_file_in_use_is_not_opened_twice(path):
    database = opened(path)
    with pytest.raises(JournalError, match="used by another process"):
        open_database(path, STAMP)
    database.close()
    opened(path).close()


def test_a_file_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="file"):
        open_database(tmp_path / "file" / "journal.db", STAMP)


@pytest.fixture
def newer(tmp_path):
    """The schema as it may be some day."""
    folder = tmp_path / "schema"
    folder.mkdir()
    for script in SCHEMA.iterdir():
        (folder / script.name).write_text(script.read_text())
    (folder / f"{NEWER:03}-mood.sql").write_text("ALTER TABLE device ADD COLUMN mood TEXT; CREATE TABLE extra (x);")
    return folder


def test_an_upgraded_file_is_like_a_fresh_one(path, newer):
    upgraded = opened(begun(path), newer)
    fresh = opened(path.with_name("fresh.db"), newer)
    assert devices(upgraded) == [("main",)]
    assert dump(upgraded) == dump(fresh)
    assert upgraded.connection.execute("PRAGMA user_version").fetchone() == (NEWER,)
    upgraded.close()
    fresh.close()


def test_an_upgrade_that_fails_changes_nothing(path, newer):
    (newer / f"{NEWER:03}-mood.sql").write_text("CREATE TABLE extra (x); CREATE TABLE device (again);")
    begun(path)
    with pytest.raises(JournalError, match="already exists"):
        open_database(path, STAMP, newer)
    database = opened(path)
    assert devices(database) == [("main",)]
    assert not any("extra" in text for text in dump(database))
    database.close()


def test_the_versions_of_the_schema_are_without_gaps():
    names = sorted(script.name for script in SCHEMA.iterdir())
    assert [int(name[:3]) for name in names] == list(range(1, len(names) + 1))


def put_back(path, replace):
    """The file, put back as it was before it was used once more."""
    copy = path.with_name("copy.db")
    shutil.copyfile(begun(path), copy)
    opened(path).close()
    replace(copy, path)


@pytest.mark.parametrize("replace", [shutil.move, shutil.copyfile], ids=["moved over it", "copied into it"])
def test_a_file_put_back_from_a_copy_is_told_apart(path, replace):
    put_back(path, replace)
    database = open_database(path, STAMP)
    assert database.is_copy
    database.note_place(1)
    database.close()
    database = open_database(path, STAMP)
    assert not database.is_copy
    database.close()


def test_a_folder_put_back_from_a_copy_is_told_apart(path):
    begun(path)
    shutil.copytree(path.parent, path.parent / "copy")
    database = open_database(path.parent / "copy" / "journal.db", STAMP)
    assert database.is_copy
    database.close()


def test_a_copy_stays_one_until_that_is_dealt_with(path):
    put_back(path, shutil.move)
    open_database(path, STAMP).abandon()
    database = open_database(path, STAMP)
    assert database.is_copy
    database.close()


def test_a_full_disk_is_told_apart(path):
    database = opened(path)
    (pages,) = database.connection.execute("PRAGMA page_count").fetchone()
    database.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Full), translated(), database.connection:
        database.connection.execute("BEGIN")
        database.connection.execute("INSERT INTO layout (columns) VALUES (?)", ("x" * 99999,))
    database.close()
