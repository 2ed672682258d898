-- An event's key is found by a number made of it (KeyHash), in an index of events. In the
-- table of keys, ordered by the whole key, an append changed and often split one more
-- page for each event, the larger the inbox the surer.
--
-- Nothing is rewritten: the keys of earlier events stay in their table, which is asked as
-- well until those are pruned.

ALTER TABLE events ADD COLUMN key_hash INTEGER; -- NULL: no other event can be found to be a duplicate of this one
ALTER TABLE events ADD COLUMN key_expires_at INTEGER;
ALTER TABLE events ADD COLUMN digest TEXT NOT NULL DEFAULT '';

-- The index begins empty, for no event has such a number yet. To see that, SQLite would
-- read all of them, and with ten million the door would be shut for ten seconds. So it is
-- made for an empty table and then said to be that of events, as
-- https://sqlite.org/lang_altertable.html does for changes that do not affect what is on disk.
CREATE TABLE empty (key_hash INTEGER);
CREATE INDEX events_by_key ON empty (key_hash) WHERE key_hash IS NOT NULL;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET tbl_name = 'events', sql = 'CREATE INDEX events_by_key ON events (key_hash) WHERE key_hash IS NOT NULL'
WHERE type = 'index' AND name = 'events_by_key';
PRAGMA writable_schema = RESET; -- and read the schema again
DROP TABLE empty;
