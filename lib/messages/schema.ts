import { DatabaseSync } from "node:sqlite";
import { dirname } from "node:path";
import { ExitCode, ExitError } from "../exit.ts";
import { hasFreeDisk } from "./free_disk.ts";
import { scrub } from "./scrub.ts";
import { reasonOf } from "../reasons.ts";

/**
 * What brings a database from one version of the schema to the next, the first from an empty file.
 * Only ever added to.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    sender TEXT NOT NULL,          -- the account's key; the name is as it was registered
    sender_name TEXT NOT NULL,
    addressee TEXT,
    addressee_name TEXT,
    sent INTEGER NOT NULL,         -- milliseconds since 1970, UTC
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX messages_by_sender ON messages (sender, id);
  CREATE INDEX messages_by_addressee ON messages (addressee, id) WHERE addressee IS NOT NULL;
  CREATE INDEX messages_by_time ON messages (sent);

  -- Direct messages that no session of their addressee has acknowledged.
  CREATE TABLE undelivered (
    account TEXT NOT NULL,
    message INTEGER NOT NULL REFERENCES messages (id),
    PRIMARY KEY (account, message)
  ) STRICT, WITHOUT ROWID;

  -- The last message before an account was made: it may see what came later.
  CREATE TABLE accounts (
    account TEXT PRIMARY KEY,
    since INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Clients that may come back without a password.
  CREATE TABLE logins (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token BLOB NOT NULL UNIQUE,    -- SHA-256 of the resume token
    account TEXT NOT NULL,
    credential TEXT NOT NULL,      -- stands for the account's password; another one ends the login
    last INTEGER NOT NULL,         -- the newest message then
    expires INTEGER NOT NULL       -- milliseconds since 1970, UTC
  ) STRICT;
  CREATE INDEX logins_by_time ON logins (expires);
  CREATE INDEX logins_by_account ON logins (account, expires);

  -- The requests of a login that stored a message, by which one that is sent again is recognised.
  CREATE TABLE requests (
    login INTEGER NOT NULL REFERENCES logins (id) ON DELETE CASCADE,
    request INTEGER NOT NULL,
    message INTEGER NOT NULL,
    PRIMARY KEY (login, request)
  ) STRICT, WITHOUT ROWID;
  `,
  // Earlier versions left in the file what they deleted. With `secure_delete`, what these tables give back
  // is overwritten: first the pages with messages, then all that were free. (VACUUM is not to be had: it
  // attaches a database, which the permissions don't allow.)
  `
  CREATE TABLE copy AS SELECT * FROM messages;
  DELETE FROM messages;
  INSERT INTO messages SELECT * FROM copy ORDER BY id;
  DROP TABLE copy;

  CREATE TABLE free (page BLOB);
  INSERT INTO free
    WITH RECURSIVE pages (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM pages)
    SELECT zeroblob(page_size) FROM pages, pragma_page_size
    LIMIT (SELECT freelist_count FROM pragma_freelist_count);
  DROP TABLE free;
  `,
  `
  -- What tells an account from another one of its name, before or after; empty where that is not known.
  ALTER TABLE accounts ADD COLUMN identity TEXT NOT NULL DEFAULT '';
  `,
  `
  -- A request is kept with the message that it stored, an account's acknowledgements as a cursor: each direct
  -- message with a higher id is undelivered, and those with a lower one that stand in a table of exceptions.
  CREATE TABLE new_messages (
    id INTEGER PRIMARY KEY,
    sender TEXT NOT NULL,          -- the account's key; the name is as it was registered
    sender_name TEXT NOT NULL,
    addressee TEXT,                -- none: a public message
    addressee_name TEXT,
    sent INTEGER NOT NULL,         -- milliseconds since 1970, UTC
    text TEXT NOT NULL,
    login INTEGER,                 -- the request that stored it
    request INTEGER
  ) STRICT;
  INSERT INTO new_messages
    SELECT id, sender, sender_name, addressee, addressee_name, sent, text, login, request
    FROM messages LEFT JOIN requests ON message = id;

  -- The newest id that was ever given to a message which has been forgotten since.
  CREATE TABLE forgotten (last INTEGER NOT NULL) STRICT;
  INSERT INTO forgotten
    SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'messages'), 0);

  ALTER TABLE accounts ADD COLUMN delivered INTEGER NOT NULL DEFAULT 0;
  INSERT OR IGNORE INTO accounts (account, since)
    SELECT DISTINCT account, last FROM undelivered, forgotten;
  UPDATE accounts SET delivered = (SELECT last FROM forgotten);
  CREATE TABLE exceptions (
    account TEXT NOT NULL,
    message INTEGER NOT NULL,
    PRIMARY KEY (account, message)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO exceptions SELECT account, message FROM undelivered;

  DROP TABLE undelivered;
  DROP TABLE requests;
  DROP TABLE messages;
  ALTER TABLE new_messages RENAME TO messages;
  CREATE INDEX messages_by_sender ON messages (sender, id);
  CREATE INDEX messages_by_addressee ON messages (addressee, id) WHERE addressee IS NOT NULL;
  `,
  `
  -- The newest message when the account's last session ended; none: that is not known.
  ALTER TABLE accounts ADD COLUMN seen INTEGER;
  `,
  `
  -- The newest event that these tables know of. Messages and logins have the numbers of their events.
  CREATE TABLE journal (
    last INTEGER NOT NULL,
    stream TEXT                    -- the cluster's stream whose events these are; none: this server's own
  ) STRICT;
  INSERT INTO journal (last) SELECT max(
    last,
    coalesce((SELECT max(id) FROM messages), 0),
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'logins'), 0)
  ) FROM forgotten;
  DROP TABLE forgotten;
  `,
  `
  -- The accounts of a cluster, as its events have them; empty on a server alone, where credentials.txt is the source.
  CREATE TABLE credentials (
    account TEXT PRIMARY KEY,
    line TEXT,                     -- none: the account was removed
    identity TEXT NOT NULL,
    filed INTEGER NOT NULL         -- whether credentials.txt has it so
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE rooms (
    id INTEGER PRIMARY KEY,        -- the number of the event that made it
    key TEXT UNIQUE,               -- the folded name; none: the room has ended
    name TEXT NOT NULL,
    topic TEXT NOT NULL,
    closed INTEGER NOT NULL,       -- only who is invited may join
    from_start INTEGER NOT NULL,   -- members may look back to the room's beginning
    members INTEGER NOT NULL,
    ended INTEGER                  -- the number of the event that ended it
  ) STRICT;
  CREATE INDEX rooms_that_ended ON rooms (ended) WHERE ended IS NOT NULL;

  -- From when to when an account is in a room: it gets the messages between the two events.
  CREATE TABLE stays (
    account TEXT NOT NULL,
    room INTEGER NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER,                 -- none: it is in the room
    name TEXT NOT NULL,            -- the account's, as it was registered
    role TEXT NOT NULL,
    at INTEGER NOT NULL,           -- when it joined, in milliseconds since 1970, UTC
    PRIMARY KEY (account, room, since)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX members ON stays (room, account) WHERE until IS NULL;
  CREATE INDEX stays_that_ended ON stays (until) WHERE until IS NOT NULL;

  -- What holds for an account in a room whether it is in it or not.
  CREATE TABLE standings (
    account TEXT NOT NULL,
    room INTEGER NOT NULL,
    banned INTEGER NOT NULL,
    muted INTEGER NOT NULL,
    invited INTEGER NOT NULL,
    PRIMARY KEY (account, room)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX standings_by_room ON standings (room);

  ALTER TABLE messages ADD COLUMN room INTEGER;   -- none: a public or a direct message
  CREATE INDEX messages_by_room ON messages (room, id) WHERE room IS NOT NULL;

  -- Up to this id the account needs no message of any room any more.
  ALTER TABLE accounts ADD COLUMN heard INTEGER NOT NULL DEFAULT 0;
  `,
  `
  CREATE TABLE operators (
    account TEXT PRIMARY KEY
  ) STRICT, WITHOUT ROWID;

  -- Who may not write (mute), or not be here (ban).
  CREATE TABLE restrictions (
    account TEXT NOT NULL,         -- empty: everybody but operators
    what TEXT NOT NULL,
    user TEXT,                     -- as it was registered; none: everybody but operators
    by TEXT,                       -- the operator; none: on the server's own machine
    at INTEGER NOT NULL,           -- milliseconds since 1970, UTC, as the next one
    until INTEGER,                 -- none: until an operator ends it
    why TEXT,
    PRIMARY KEY (account, what)
  ) STRICT, WITHOUT ROWID;

  -- What operators did, by the numbers of the events.
  CREATE TABLE operations (
    id INTEGER PRIMARY KEY,
    what TEXT NOT NULL,
    by TEXT,
    at INTEGER NOT NULL,
    user TEXT,
    until INTEGER,
    why TEXT
  ) STRICT;

  ALTER TABLE messages ADD COLUMN announcement INTEGER;   -- 1: an operator speaks for the server
  `,
  `
  -- In a cluster: what counts of each publisher's events, by its numbers. A server is another one after each start.
  CREATE TABLE publishers (
    publisher TEXT PRIMARY KEY,
    last INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Requests up to this one may have stored messages that were deleted since.
  ALTER TABLE logins ADD COLUMN requests INTEGER NOT NULL DEFAULT 0;

  -- Messages whose texts the stream of a cluster still has, and is not to keep.
  CREATE TABLE erasures (
    message INTEGER PRIMARY KEY,
    event INTEGER NOT NULL         -- the number of the event that says so
  ) STRICT;

  -- 1: the tables are being filled from a snapshot, and are nothing yet.
  ALTER TABLE journal ADD COLUMN restoring INTEGER NOT NULL DEFAULT 0;
  `,
  `
  ALTER TABLE messages ADD COLUMN deleted_by TEXT;   -- who has deleted its text
  ALTER TABLE operations ADD COLUMN message INTEGER; -- which one was deleted
  `,
  `
  -- Who looks back at what was said to all, or to one, does not read all that was said in rooms, or between others.
  CREATE INDEX messages_to_all ON messages (id) WHERE addressee IS NULL AND room IS NULL;
  DROP INDEX messages_by_sender;
  CREATE INDEX messages_by_sender ON messages (sender, id) WHERE room IS NULL;
  CREATE INDEX messages_in_rooms_by_sender ON messages (sender, id) WHERE room IS NOT NULL;
  `,
  `
  -- Which messages are an account's, as lists of ids.
  CREATE TABLE postings (
    account TEXT NOT NULL,
    part TEXT NOT NULL,            -- what it has to do with them
    last INTEGER NOT NULL,         -- none of the ids is higher, and all of the list before are lower
    ids TEXT NOT NULL,             -- ascending, with commas between them
    PRIMARY KEY (account, part, last)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO postings
    SELECT account, part, max(id), group_concat(id ORDER BY id) FROM (
      SELECT sender AS account, id,
        iif(room IS NOT NULL, 'in a room', iif(addressee IS NULL, 'to all', 'sent')) AS part
      FROM messages
      UNION ALL SELECT addressee, id, 'received' FROM messages WHERE addressee IS NOT NULL)
    GROUP BY account, part, id / 4096;

  -- Of messages with higher ids no list has been written.
  ALTER TABLE journal ADD COLUMN posted INTEGER NOT NULL DEFAULT 0;
  UPDATE journal SET posted = coalesce((SELECT max(id) FROM messages), 0);
  DROP INDEX messages_by_sender;
  DROP INDEX messages_by_addressee;
  DROP INDEX messages_in_rooms_by_sender;
  `,
];

/**
 * Opens a database for one server, and brings its schema up to date. A later commit is in the system's
 * cache when it is done, and on the disk when the write-ahead log was synced; whoever checkpoints syncs
 * the database file before the next commit.
 *
 * @param path a file, which is made where there is none, or `:memory:`
 * @throws {ExitError} `refused`, where the file can't be used, or a newer version of this program has
 *   written it; it then is as it was
 */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    inspect(path);
    // For its owner's eyes only; what SQLite makes beside it gets the same mode.
    if (path !== ":memory:") {
      Deno.openSync(path, { create: true, write: true, mode: 0o600 }).close();
    }
    database = new DatabaseSync(path);
    const version = readVersion(database);
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA secure_delete = ON;
    `);
    if (version < MIGRATIONS.length) migrate(database, version);
    // The first commit makes the write-ahead log, and puts it into its folder for good.
    database.exec(`
      PRAGMA user_version = ${MIGRATIONS.length};
      PRAGMA journal_size_limit = 0;
      PRAGMA wal_autocheckpoint = 0;
      PRAGMA synchronous = OFF;
    `);
    // Where the newest message can't be found, no id can be given.
    database.exec("SELECT max(id) FROM messages");
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof ExitError) throw cause;
    if (/malformed|not a database/.test((cause as Error).message)) throw damaged(path, cause);
    const { message } = cause as Error;
    const full = message.includes("disk is full") || !hasFreeDisk(dirname(path));
    const problem = !full
      ? `${JSON.stringify(path)} can't be used: ${reasonOf(cause)}`
      : `the disk is full: ${JSON.stringify(path)} can't be used until something else is deleted ` +
        "(nothing is lost)";
    throw new ExitError(ExitCode.refused, problem, { cause });
  }
}

function migrate(database: DatabaseSync, version: number): void {
  database.exec("PRAGMA foreign_keys = OFF");
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN; ${migration} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
  database.exec("PRAGMA foreign_keys = ON");
  scrub(database);
}

/**
 * Refuses a file that can't be used, before anything is written: a connection that could write would
 * put the write-ahead log into the file when it is closed.
 */
function inspect(path: string): void {
  if (sizeOf(path) === 0) return;
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const version = readVersion(database);
    if (version > MIGRATIONS.length) {
      throw new ExitError(
        ExitCode.refused,
        `${JSON.stringify(path)} was written by a newer chatserver (schema ${version}, this one ` +
          `knows ${MIGRATIONS.length}): take that one, or another data folder`,
      );
    }
    // It was not closed, so the machine may have crashed; what that did to the file shall show now, not
    // in the middle of a chat.
    if (sizeOf(`${path}-wal`) > 0) check(database, path);
  } finally {
    database.close();
  }
}

/** 0 where there is no such file. */
function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}

function readVersion(database: DatabaseSync): number {
  return database.prepare("PRAGMA user_version").get()!["user_version"] as number;
}

function check(database: DatabaseSync, path: string): void {
  const result = database.prepare("PRAGMA quick_check(1)").get()!["quick_check"];
  if (result !== "ok") throw damaged(path, result);
}

function damaged(path: string, cause: unknown): ExitError {
  return new ExitError(
    ExitCode.refused,
    `${
      JSON.stringify(path)
    } is damaged: put a backup in its place, or move it away with the files ` +
      "beside it to begin with an empty log (accounts are not in it)",
    { cause },
  );
}
