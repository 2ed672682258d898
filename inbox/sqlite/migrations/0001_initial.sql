-- Times are microseconds since 1970 in UTC, durations nanoseconds. NULL is "none".

-- One row per request; the events it brought and their replays share it.
CREATE TABLE payloads (
    id           INTEGER PRIMARY KEY,
    refs         INTEGER NOT NULL,
    content_type TEXT    NOT NULL,
    body         BLOB    NOT NULL
);

-- The rows that are the subjects' locks. Events refer to the number, which keeps
-- their indexes small.
CREATE TABLE subjects (
    number      INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    name        TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    pending     INTEGER NOT NULL DEFAULT 0,
    epoch       INTEGER NOT NULL DEFAULT 0,
    held        INTEGER NOT NULL DEFAULT 0,
    held_since  INTEGER,
    held_until  INTEGER,
    held_by     TEXT    NOT NULL DEFAULT '',
    held_reason TEXT    NOT NULL DEFAULT '',
    streak      INTEGER NOT NULL DEFAULT 0,
    spent       INTEGER NOT NULL DEFAULT 0,
    holds       INTEGER NOT NULL DEFAULT 0,
    next_wake   INTEGER,
    last_error  TEXT    NOT NULL DEFAULT '',
    failed_at   INTEGER,
    sweep_at    INTEGER, -- the sweeper leaves the subject alone until then; NULL: until an operator acts
    busy_run    TEXT    NOT NULL DEFAULT '', -- that has the subject in hand, from busy_since to busy_until; NULL: none has
    busy_since  INTEGER,
    busy_until  INTEGER
);
CREATE INDEX subjects_by_name ON subjects (name) WHERE name <> id;
CREATE INDEX subjects_to_sweep ON subjects (sweep_at, held, held_until, next_wake) WHERE pending > 0;
CREATE INDEX subjects_held ON subjects (held_until) WHERE held = 1;
CREATE INDEX subjects_retrying ON subjects (id) WHERE streak > 0;

-- AUTOINCREMENT: the number of a pruned event is never given again.
CREATE TABLE events (
    sequence        INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id        TEXT    NOT NULL,
    source          TEXT    NOT NULL,
    provider        TEXT    NOT NULL,
    subject         INTEGER, -- subjects.number; NULL: unknown
    type            TEXT    NOT NULL,
    key             TEXT    NOT NULL,
    at              INTEGER,
    received_at     INTEGER NOT NULL,
    position        INTEGER NOT NULL,
    related         TEXT    NOT NULL DEFAULT '', -- JSON array of subject IDs
    staging         INTEGER NOT NULL,
    payload         INTEGER NOT NULL, -- payloads.id
    status          TEXT    NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    reason          TEXT    NOT NULL DEFAULT '',
    handler         TEXT    NOT NULL DEFAULT '',
    settled_at      INTEGER,
    redo            INTEGER NOT NULL DEFAULT 0,
    replay_of       INTEGER NOT NULL DEFAULT 0,
    epoch           INTEGER NOT NULL DEFAULT 0, -- that settled it
    run_id          TEXT,
    original_run_id TEXT
);
CREATE INDEX events_by_subject ON events (subject);
CREATE INDEX events_pending ON events (subject) WHERE status = 'pending';
CREATE INDEX events_set_aside ON events (status) WHERE status IN ('parked', 'failed', 'quarantined');
CREATE INDEX events_settled ON events (settled_at) WHERE settled_at IS NOT NULL;

-- variant is '' for the first content that came with a key, and the digest of
-- each other one.
CREATE TABLE keys (
    source     TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    variant    TEXT    NOT NULL,
    sequence   INTEGER NOT NULL,
    digest     TEXT    NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (source, key, variant)
) WITHOUT ROWID;

CREATE TABLE audit (
    id         INTEGER PRIMARY KEY,
    request_id TEXT,
    subject    TEXT    NOT NULL,
    verb       TEXT    NOT NULL,
    sequence   INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    by         TEXT    NOT NULL,
    until      INTEGER,
    at         INTEGER NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject);
CREATE INDEX audit_by_time ON audit (at);
CREATE UNIQUE INDEX audit_requests ON audit (subject, request_id) WHERE request_id IS NOT NULL;

CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('epoch', 0), ('ping', 0);
