-- 1
CREATE TABLE IF NOT EXISTS "rooms" ("id" TEXT NOT NULL, "name" TEXT NOT NULL, "owner" TEXT NOT NULL, "created_at" INTEGER NOT NULL, "people" INTEGER NOT NULL, "listed" INTEGER NOT NULL, "locked" INTEGER NOT NULL, "password" INTEGER NOT NULL, "sorted" TEXT NOT NULL, PRIMARY KEY ("id")) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS "rooms_0" ON "rooms" (sorted, id) WHERE listed = 1;
CREATE INDEX IF NOT EXISTS "rooms_1" ON "rooms" (sorted, id) WHERE listed = 1 AND people > 0;

    CREATE TABLE IF NOT EXISTS words (word TEXT NOT NULL, room TEXT NOT NULL, PRIMARY KEY (word, room))
        WITHOUT ROWID, STRICT;
    CREATE INDEX IF NOT EXISTS words_of_rooms ON words (room);
-- 2
CREATE INDEX IF NOT EXISTS "rooms_2" ON "rooms" (owner, id);
