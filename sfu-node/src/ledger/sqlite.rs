//! The default ledger: an SQLite file beside the node.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, params};

use super::{Entry, Ledger, LedgerError, What};

/// Steps of the schema; the file's `user_version` counts those done. A step, once released, never changes.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE sessions (
        run INTEGER NOT NULL,        -- the node's start, ms since 1970: a session without an end is open in this run,
                                     -- or was cut off by the end of an earlier one
        room TEXT NOT NULL,
        participant TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        started INTEGER NOT NULL,    -- ms since 1970
        ended INTEGER,
        PRIMARY KEY (run, room, participant, attempt)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sessions_by_start ON sessions (started);
"];

/// How long a write waits for others who use the file: a backup, or somebody who looks. Then it is tried again later.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// The ledger's file, open.
pub struct Sqlite {
    database: Connection,
    run: i64,
}

impl Sqlite {
    /// Opens the ledger, or makes a new one; `now` names this run of the node.
    ///
    /// # Errors
    /// The file or its directory cannot be made or read, or a later release has written it.
    pub fn open(path: &Path, now: SystemTime) -> Result<Self, LedgerError> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let mut database = Connection::open(path)?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        // With FULL a commit in the log survives a loss of power.
        database.pragma_update(None, "synchronous", "FULL")?;
        migrate(&mut database)?;
        database.busy_timeout(BUSY_TIMEOUT)?;
        Ok(Self {
            database,
            run: milliseconds(now),
        })
    }
}

fn migrate(database: &mut Connection) -> Result<(), LedgerError> {
    let known = MIGRATIONS.len() as i64;
    let found: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(LedgerError::TooNew { found, known });
    }
    let transaction = database.transaction()?;
    for step in &MIGRATIONS[found.max(0) as usize..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}

impl Ledger for Sqlite {
    fn write(&mut self, entries: &[Entry]) -> Result<(), LedgerError> {
        let transaction = self.database.transaction()?;
        for Entry { at, room, what } in entries {
            let (at, room) = (milliseconds(*at), room.as_str());
            match what {
                What::Started {
                    participant,
                    attempt,
                } => transaction
                    .prepare_cached(
                        "INSERT INTO sessions (run, room, participant, attempt, started) VALUES (?, ?, ?, ?, ?)
                         ON CONFLICT DO NOTHING",
                    )?
                    .execute(params![self.run, room, participant.as_str(), attempt.0, at])?,
                What::Ended {
                    participant,
                    attempt,
                } => transaction
                    .prepare_cached(
                        "UPDATE sessions SET ended = ?5
                         WHERE run = ?1 AND room = ?2 AND participant = ?3 AND attempt = ?4 AND ended IS NULL",
                    )?
                    .execute(params![self.run, room, participant.as_str(), attempt.0, at])?,
                What::Released => transaction
                    .prepare_cached(
                        "UPDATE sessions SET ended = ?3 WHERE run = ?1 AND room = ?2 AND ended IS NULL",
                    )?
                    .execute(params![self.run, room, at])?,
            };
        }
        Ok(transaction.commit()?)
    }
}

fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rusqlite::ErrorCode;

    use super::*;

    /// A directory that goes when the test ends.
    struct Directory(PathBuf);

    impl Directory {
        fn new() -> Self {
            Self(
                std::env::temp_dir().join(format!("connect-ledger-{:016x}", rand::random::<u64>())),
            )
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn entry(seconds: u64, what: What) -> Entry {
        Entry {
            at: UNIX_EPOCH + Duration::from_secs(seconds),
            room: "bako-tuvi".parse().unwrap(),
            what,
        }
    }

    fn started(name: &str) -> What {
        What::Started {
            participant: name.parse().unwrap(),
            attempt: Default::default(),
        }
    }

    fn ended(name: &str) -> What {
        What::Ended {
            participant: name.parse().unwrap(),
            attempt: Default::default(),
        }
    }

    fn rows(path: &Path) -> Vec<(String, i64, Option<i64>)> {
        let database = Connection::open(path).unwrap();
        let mut query = database
            .prepare("SELECT participant, started, ended FROM sessions ORDER BY run, participant")
            .unwrap();
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn sessions_survive_a_restart() {
        let directory = Directory::new();
        let path = directory.0.join("deep/ledger.sqlite");
        let open = |run| Sqlite::open(&path, UNIX_EPOCH + Duration::from_secs(run)).unwrap();
        let mut first = open(1);
        let began = [entry(10, started("ada")), entry(11, started("bob"))];
        first.write(&began).unwrap();
        let left = [entry(12, ended("ada")), entry(13, ended("ada"))];
        first.write(&left).unwrap();
        drop(first);
        let mut second = open(2);
        let all = [entry(20, started("cy")), entry(21, What::Released)];
        second.write(&all).unwrap();
        drop(second);
        let expected = [
            ("ada".to_owned(), 10_000, Some(12_000)),
            // Cut off by the end of the first run: its end is not known.
            ("bob".to_owned(), 11_000, None),
            ("cy".to_owned(), 20_000, Some(21_000)),
        ];
        assert_eq!(rows(&path), expected);
    }

    #[test]
    fn a_locked_file_takes_nothing_and_all_of_it_the_next_time() {
        let directory = Directory::new();
        let path = directory.0.join("ledger.sqlite");
        let mut ledger = Sqlite::open(&path, UNIX_EPOCH).unwrap();
        ledger.database.busy_timeout(Duration::ZERO).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let entries = [entry(1, started("ada")), entry(2, ended("ada"))];
        let refused = ledger.write(&entries).unwrap_err();
        assert!(
            matches!(&refused, LedgerError::Database(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)),
            "{refused}"
        );
        other.execute_batch("COMMIT").unwrap();
        assert!(rows(&path).is_empty());
        ledger.write(&entries).unwrap();
        assert_eq!(rows(&path), [("ada".to_owned(), 1_000, Some(2_000))]);
    }

    #[test]
    fn a_ledger_of_a_later_release_is_left_alone() {
        let directory = Directory::new();
        let path = directory.0.join("ledger.sqlite");
        drop(Sqlite::open(&path, UNIX_EPOCH).unwrap());
        let database = Connection::open(&path).unwrap();
        database.pragma_update(None, "user_version", 99).unwrap();
        drop(database);
        let refused = Sqlite::open(&path, UNIX_EPOCH).err().unwrap();
        assert!(
            matches!(refused, LedgerError::TooNew { found: 99, .. }),
            "{refused}"
        );
    }
}
