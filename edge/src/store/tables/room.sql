-- 1
CREATE TABLE IF NOT EXISTS "room" ("id" TEXT NOT NULL, "name" TEXT NOT NULL, "owner" TEXT NOT NULL, "created_at" INTEGER NOT NULL, "epoch" INTEGER NOT NULL, "kind" TEXT NOT NULL, "chat" TEXT NOT NULL, "notes" TEXT NOT NULL, "captions" TEXT NOT NULL, "share" TEXT NOT NULL, "speak" TEXT NOT NULL, "guests" INTEGER NOT NULL, "chat_days" INTEGER NOT NULL, "chat_lines" INTEGER NOT NULL, "lobby" INTEGER NOT NULL, "locked" INTEGER NOT NULL, "capacity" INTEGER NOT NULL, "opens_at" INTEGER NOT NULL, "listed" INTEGER NOT NULL, "permanent" INTEGER NOT NULL, "has_password" INTEGER NOT NULL, "password" TEXT, "hosted" INTEGER NOT NULL, "gone" INTEGER NOT NULL, "used_at" INTEGER, "retired" INTEGER NOT NULL, PRIMARY KEY ("id")) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "people" ("id" TEXT NOT NULL, "user" TEXT NOT NULL, "name" TEXT NOT NULL, "role" TEXT NOT NULL, "guest" INTEGER NOT NULL, "publishing" TEXT NOT NULL, "caps" TEXT NOT NULL, "decodes" TEXT NOT NULL, "joined_at" INTEGER NOT NULL, "regions" TEXT NOT NULL, "presence" TEXT NOT NULL, "connection" INTEGER NOT NULL, "node" TEXT, "region" TEXT, "hand" INTEGER, "spotlight" INTEGER, "wish" INTEGER, "session" TEXT, "media" TEXT NOT NULL, "told" TEXT NOT NULL, PRIMARY KEY ("id")) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "nodes" ("node" TEXT NOT NULL, "region" TEXT NOT NULL, "epoch" INTEGER NOT NULL, "link" INTEGER NOT NULL, "state" TEXT NOT NULL, "reach" TEXT, "release_at" INTEGER, PRIMARY KEY ("node")) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "rulings" ("user" TEXT NOT NULL, "caps" TEXT NOT NULL, "barred_until" INTEGER NOT NULL, "role" TEXT, "banned" TEXT, "at" INTEGER NOT NULL, PRIMARY KEY ("user")) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "moved" ("participant" TEXT NOT NULL, "connection" INTEGER NOT NULL, "passes" TEXT NOT NULL, "until" INTEGER NOT NULL, PRIMARY KEY ("participant")) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "waiting" ("id" TEXT NOT NULL, "user" TEXT NOT NULL, "name" TEXT NOT NULL, "role" TEXT NOT NULL, "guest" INTEGER NOT NULL, "publishing" TEXT NOT NULL, "caps" TEXT NOT NULL, "decodes" TEXT NOT NULL, "joined_at" INTEGER NOT NULL, "regions" TEXT NOT NULL, "presence" TEXT NOT NULL, "connection" INTEGER NOT NULL, "node" TEXT, "region" TEXT, "hand" INTEGER, "spotlight" INTEGER, "wish" INTEGER, "session" TEXT, "media" TEXT NOT NULL, "told" TEXT NOT NULL, "admitted" INTEGER NOT NULL, PRIMARY KEY ("id")) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "events" ("seq" INTEGER NOT NULL, "at" INTEGER NOT NULL, "event" TEXT NOT NULL, "between" TEXT, "place" TEXT, PRIMARY KEY ("seq")) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "owed" (one INTEGER PRIMARY KEY CHECK (one = 1), "tries" INTEGER NOT NULL, "at" INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "polls" ("id" INTEGER NOT NULL, "nonce" TEXT NOT NULL, "user" TEXT NOT NULL, "name" TEXT NOT NULL, "question" TEXT NOT NULL, "options" TEXT NOT NULL, "multiple" INTEGER NOT NULL, "anonymous" INTEGER NOT NULL, "shows" TEXT NOT NULL, "created_at" INTEGER NOT NULL, "state" TEXT NOT NULL, PRIMARY KEY ("id")) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "ballots" ("poll" INTEGER NOT NULL, "user" TEXT NOT NULL, "name" TEXT NOT NULL, "choices" TEXT NOT NULL, PRIMARY KEY ("poll", "user")) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "reads" ("user" TEXT NOT NULL, "line" INTEGER NOT NULL, "at" INTEGER NOT NULL, PRIMARY KEY ("user")) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "breakouts" (one INTEGER PRIMARY KEY CHECK (one = 1), "last" INTEGER NOT NULL, "open" TEXT) STRICT, WITHOUT ROWID;

    CREATE TABLE IF NOT EXISTS chat (
        number INTEGER PRIMARY KEY,
        user TEXT,
        nonce TEXT NOT NULL,
        size INTEGER NOT NULL,
        value TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX IF NOT EXISTS chat_by_nonce ON chat (user, nonce);
    CREATE TABLE IF NOT EXISTS chat_kept (lines INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
    INSERT INTO chat_kept SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM chat_kept);
    CREATE TRIGGER IF NOT EXISTS chat_added AFTER INSERT ON chat BEGIN
        UPDATE chat_kept SET lines = lines + 1, bytes = bytes + new.size;
    END;
    CREATE TRIGGER IF NOT EXISTS chat_changed AFTER UPDATE OF size ON chat BEGIN
        UPDATE chat_kept SET bytes = bytes + new.size - old.size;
    END;
    CREATE TRIGGER IF NOT EXISTS chat_gone AFTER DELETE ON chat BEGIN
        UPDATE chat_kept SET lines = lines - 1, bytes = bytes - old.size;
    END;

    CREATE TABLE IF NOT EXISTS audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        by_participant TEXT NOT NULL,
        by_user TEXT NOT NULL,
        by_name TEXT NOT NULL,
        on_participant TEXT,
        on_user TEXT,
        on_name TEXT,
        deed TEXT NOT NULL
    ) STRICT;

    CREATE TABLE IF NOT EXISTS notes (
        number INTEGER PRIMARY KEY,
        work INTEGER NOT NULL,
        value TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS note_authors (
        author INTEGER PRIMARY KEY AUTOINCREMENT,
        user TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS note_authors_by_user ON note_authors (user);
-- 2
ALTER TABLE "room" ADD COLUMN "regions" TEXT NOT NULL DEFAULT '[]';
ALTER TABLE "people" ADD COLUMN "granted" TEXT DEFAULT NULL;
ALTER TABLE "waiting" ADD COLUMN "granted" TEXT DEFAULT NULL;
CREATE TABLE IF NOT EXISTS "outbox" ("seq" INTEGER NOT NULL, "part" INTEGER NOT NULL, "event" TEXT NOT NULL, "at" INTEGER NOT NULL, "body" TEXT NOT NULL, PRIMARY KEY ("seq", "part")) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "wanted" (one INTEGER PRIMARY KEY CHECK (one = 1), "events" TEXT NOT NULL, "at" INTEGER NOT NULL) STRICT, WITHOUT ROWID;
-- 3
ALTER TABLE "rulings" ADD COLUMN "role_at" INTEGER NOT NULL DEFAULT 0;
