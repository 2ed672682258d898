-- An event's key is found by a number made of it (keyHash), in an index of events, and
-- no longer in a table of its own with the whole key in random order: an append then
-- changed and often split one more page for each event, the larger the inbox the surer.
--
-- Sequences are given by the writer, which keeps the last one in mind: with
-- AUTOINCREMENT SQLite looked it up and wrote it for each event. The counter is
-- written when events are pruned, for the last one may be among them.

CREATE TABLE events_new (
    sequence        INTEGER PRIMARY KEY,
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
    original_run_id TEXT,
    key_hash        INTEGER, -- NULL: no other event can be a duplicate of this one
    key_expires_at  INTEGER,
    digest          TEXT    NOT NULL DEFAULT ''
);

INSERT INTO events_new SELECT e.*,
    CASE WHEN k.sequence IS NOT NULL THEN key_hash(e.source, e.key) END, k.expires_at, coalesce(k.digest, '')
    FROM events e LEFT JOIN keys k ON k.source = e.source AND k.key = e.key AND k.sequence = e.sequence
    ORDER BY e.sequence;

INSERT INTO counters (name, value) VALUES
    ('sequence', coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0));

DROP TABLE keys;
DROP TABLE events;
ALTER TABLE events_new RENAME TO events;
CREATE INDEX events_by_subject ON events (subject);
CREATE INDEX events_pending ON events (subject) WHERE status = 'pending';
CREATE INDEX events_set_aside ON events (status) WHERE status IN ('parked', 'failed', 'quarantined');
CREATE INDEX events_settled ON events (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX events_by_key ON events (key_hash) WHERE key_hash IS NOT NULL;
