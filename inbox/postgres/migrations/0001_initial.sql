-- needs: 1
--
-- Durations are nanoseconds; NULL is "none". What is compared is compared byte by
-- byte (COLLATE "C"), so that every session locks rows in the same order.

-- Never given twice, also not after a crash.
CREATE SEQUENCE event_sequence;
CREATE SEQUENCE epochs;

-- One row per request; the events it brought and their replays share it. Its id is
-- the sequence of the first event that was stored with it.
CREATE TABLE payloads (
    id           bigint   PRIMARY KEY,
    refs         bigint   NOT NULL,
    content_type text     NOT NULL,
    encoding     smallint NOT NULL, -- 0: the body as it came; 1: zstd
    size         bigint   NOT NULL, -- of the body as it came
    body         bytea    NOT NULL
);
-- It is compressed already, or not worth it.
ALTER TABLE payloads ALTER COLUMN body SET STORAGE EXTERNAL;

-- The rows that are the subjects' locks. Events refer to the number, which keeps
-- their indexes small. While a subject's queue is not empty its count moves all the
-- time, so no index has it: queued moves only with the first and the last event,
-- and the free space in each page takes the updates in between.
CREATE TABLE subjects (
    number      bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          text    COLLATE "C" NOT NULL UNIQUE,
    name        text    COLLATE "C" NOT NULL,
    source      text    COLLATE "C" NOT NULL,
    pending     bigint  NOT NULL DEFAULT 0 CHECK (pending >= 0),
    queued      boolean NOT NULL GENERATED ALWAYS AS (pending > 0) STORED,
    epoch       bigint  NOT NULL DEFAULT 0,
    held        boolean NOT NULL DEFAULT false,
    held_since  timestamptz,
    held_until  timestamptz,
    held_by     text    NOT NULL DEFAULT '',
    held_reason text    NOT NULL DEFAULT '',
    streak      integer NOT NULL DEFAULT 0,
    spent       bigint  NOT NULL DEFAULT 0,
    holds       integer NOT NULL DEFAULT 0,
    next_wake   timestamptz,
    last_error  text    NOT NULL DEFAULT '',
    failed_at   timestamptz,
    sweep_at    timestamptz, -- the sweeper leaves the subject alone until then; NULL: until an operator acts
    busy_run    text    NOT NULL DEFAULT '', -- that has the subject in hand, from busy_since to busy_until
    busy_since  timestamptz,
    busy_until  timestamptz
) WITH (fillfactor = 70);
CREATE INDEX subjects_by_name ON subjects USING hash (name) WHERE name <> id; -- a name may be long
CREATE INDEX subjects_to_sweep ON subjects (sweep_at, held, held_until, next_wake) WHERE queued;
CREATE INDEX subjects_held ON subjects (held_until) WHERE held;
CREATE INDEX subjects_retrying ON subjects (id) WHERE streak > 0;

CREATE TABLE events (
    sequence        bigint   PRIMARY KEY,
    event_id        text     NOT NULL,
    source          text     COLLATE "C" NOT NULL,
    provider        text     NOT NULL,
    subject         bigint, -- subjects.number; NULL: unknown
    type            text     NOT NULL,
    key             text     COLLATE "C" NOT NULL,
    at              timestamptz,
    received_at     timestamptz NOT NULL,
    position        bigint   NOT NULL,
    related         text     NOT NULL DEFAULT '', -- JSON array of subject IDs
    staging         boolean  NOT NULL,
    payload         bigint   NOT NULL, -- payloads.id
    status          text     COLLATE "C" NOT NULL,
    attempts        bigint   NOT NULL DEFAULT 0,
    reason          text     NOT NULL DEFAULT '',
    handler         text     NOT NULL DEFAULT '',
    settled_at      timestamptz,
    redo            bigint   NOT NULL DEFAULT 0,
    replay_of       bigint   NOT NULL DEFAULT 0,
    epoch           bigint   NOT NULL DEFAULT 0, -- that settled it
    run_id          text,
    original_run_id text
);
CREATE INDEX events_by_subject ON events (subject, sequence);
CREATE INDEX events_pending ON events (subject, sequence) WHERE status = 'pending';
CREATE INDEX events_set_aside ON events (status, sequence) WHERE status IN ('parked', 'failed', 'quarantined');
CREATE INDEX events_settled ON events (settled_at) WHERE settled_at IS NOT NULL;

-- variant is '' for the first content that came with a key, and the digest of
-- each other one. What is too long for an index is here as its hash.
CREATE TABLE keys (
    source     text   COLLATE "C" NOT NULL,
    key        text   COLLATE "C" NOT NULL,
    variant    text   COLLATE "C" NOT NULL,
    sequence   bigint NOT NULL,
    digest     text   COLLATE "C" NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (source, key, variant)
);

-- How a key is looked up.
CREATE FUNCTION lookup_1(key text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(key) <= 1000 THEN key ELSE E'\x01h' || encode(sha256(convert_to(key, 'UTF8')), 'hex') END
$$;

CREATE TABLE audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id text   COLLATE "C",
    subject    text   COLLATE "C" NOT NULL,
    verb       text   NOT NULL,
    sequence   bigint NOT NULL,
    reason     text   NOT NULL,
    by         text   NOT NULL,
    until      timestamptz,
    at         timestamptz NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject, id);
CREATE INDEX audit_by_time ON audit (at);
CREATE UNIQUE INDEX audit_requests ON audit (subject, request_id) WHERE request_id IS NOT NULL;

-- Who does what only one process of the fleet does, and until when.
CREATE TABLE leases (
    name   text PRIMARY KEY,
    holder text NOT NULL,
    until  timestamptz NOT NULL
);

-- The queue's tables turn over: what is dead goes after a fiftieth of them, not a fifth.
ALTER TABLE subjects SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE events   SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
