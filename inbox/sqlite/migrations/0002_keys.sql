-- An event's key is found by a number made of it (KeyHash), in an index of events. In the
-- table of keys, ordered by the whole key, an append changed and often split one more
-- page for each event, the larger the inbox the surer.
--
-- Nothing is rewritten: an inbox of ten million events is open again in seconds. The keys
-- of earlier events stay in their table, which is asked as well until those are pruned.

ALTER TABLE events ADD COLUMN key_hash INTEGER; -- NULL: no other event can be found to be a duplicate of this one
ALTER TABLE events ADD COLUMN key_expires_at INTEGER;
ALTER TABLE events ADD COLUMN digest TEXT NOT NULL DEFAULT '';
CREATE INDEX events_by_key ON events (key_hash) WHERE key_hash IS NOT NULL;
