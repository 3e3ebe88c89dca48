-- 1
CREATE TABLE IF NOT EXISTS "keys" ("id" TEXT NOT NULL, "name" TEXT NOT NULL, "scopes" TEXT NOT NULL, "hash" TEXT NOT NULL, "created_at" INTEGER NOT NULL, "last_used_at" INTEGER, PRIMARY KEY ("id")) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "requests" ("who" TEXT NOT NULL, "key" TEXT NOT NULL, "fingerprint" TEXT NOT NULL, "seed" INTEGER NOT NULL, "at" INTEGER NOT NULL, "status" INTEGER, "body" TEXT, PRIMARY KEY ("who", "key")) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS "requests_0" ON "requests" (at);
CREATE TABLE IF NOT EXISTS "rates" ("name" TEXT NOT NULL, "who" TEXT NOT NULL, "tokens" REAL NOT NULL, "at" INTEGER NOT NULL, PRIMARY KEY ("name", "who")) STRICT, WITHOUT ROWID;
-- 2
CREATE TABLE IF NOT EXISTS "endpoints" ("id" TEXT NOT NULL, "url" TEXT NOT NULL, "events" TEXT NOT NULL, "secret" TEXT NOT NULL, "former" TEXT, "created_at" INTEGER NOT NULL, "failing_since" INTEGER, "disabled" TEXT, PRIMARY KEY ("id")) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "deliveries" ("endpoint" TEXT NOT NULL, "id" TEXT NOT NULL, "event" TEXT NOT NULL, "at" INTEGER NOT NULL, "state" TEXT NOT NULL, "tries" INTEGER NOT NULL, "due" INTEGER, "status" INTEGER, "error" TEXT, "body" TEXT NOT NULL, PRIMARY KEY ("endpoint", "id")) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS "deliveries_0" ON "deliveries" (endpoint, due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS "deliveries_1" ON "deliveries" (endpoint, at);
