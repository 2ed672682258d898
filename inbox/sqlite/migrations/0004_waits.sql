-- A subject is in its index while it waits. The index's condition was pending > 0, so that
-- SQLite took the subject's entry out of it and put it back whenever the number of pending
-- events changed: a twelfth of what an append took, and a settlement.
--
-- waits is 1 while pending > 0; whoever changes pending by hand changes it, too. The same
-- subjects fulfil both conditions, so that the index need not be made again (see
-- 0003_set_aside.sql), and only those that wait are read.

ALTER TABLE subjects ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
UPDATE subjects INDEXED BY subjects_to_sweep SET waits = 1 WHERE pending > 0;

PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE INDEX subjects_to_sweep ON subjects (sweep_at, held, held_until, next_wake) WHERE waits = 1'
WHERE type = 'index' AND name = 'subjects_to_sweep';
PRAGMA writable_schema = RESET; -- and read the schema again
