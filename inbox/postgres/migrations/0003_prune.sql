-- needs: 1
--
-- Deletes the oldest settled events of before a time: at most so many, and no
-- further one once the bodies that go exceed so many bytes. Like an append it
-- commits by itself. It waits for nobody: what somebody has locked stays for the
-- next time.
CREATE FUNCTION prune_1(before timestamptz, at_most bigint, bytes bigint) RETURNS bigint
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    chosen bigint[]; -- sequences, in the order of settling
    locked bigint[];
    empty  bigint[];
    gone   bigint;
BEGIN
    chosen := ARRAY(SELECT e.sequence FROM events e WHERE e.settled_at < before AND e.status <> 'pending'
        ORDER BY e.settled_at LIMIT at_most FOR UPDATE SKIP LOCKED);

    -- Their payloads, and of these only as many bytes as are allowed. One that other
    -- events need costs nothing.
    locked := ARRAY(SELECT p.id FROM payloads p WHERE p.id IN (SELECT e.payload FROM events e WHERE e.sequence = ANY (chosen))
        FOR UPDATE SKIP LOCKED);
    chosen := ARRAY(
        SELECT x.sequence FROM (
            SELECT x.sequence, x.i, sum(x.freed) OVER (ORDER BY x.i) AS freed FROM (
                SELECT c.sequence, c.i,
                    CASE row_number() OVER (PARTITION BY p.id ORDER BY c.i) WHEN p.refs THEN p.size ELSE 0 END AS freed
                FROM unnest(chosen) WITH ORDINALITY AS c (sequence, i)
                JOIN events e ON e.sequence = c.sequence JOIN payloads p ON p.id = e.payload
                WHERE p.id = ANY (locked)) x) x
        WHERE x.freed <= bytes OR x.i = (SELECT min(c.i) FROM unnest(chosen) WITH ORDINALITY AS c (sequence, i)
            JOIN events e ON e.sequence = c.sequence WHERE e.payload = ANY (locked))
        ORDER BY x.i);

    -- A key that a sender is just using keeps its event.
    locked := ARRAY(SELECT o.sequence FROM unnest(chosen) AS c (sequence) JOIN events e ON e.sequence = c.sequence
        JOIN keys o ON o.source = e.source AND o.key = lookup_1(e.key) AND o.sequence = e.sequence FOR UPDATE OF o SKIP LOCKED);
    chosen := ARRAY(SELECT c.sequence FROM unnest(chosen) AS c (sequence) JOIN events e ON e.sequence = c.sequence
        WHERE c.sequence = ANY (locked) OR NOT EXISTS (SELECT 1 FROM keys o
            WHERE o.source = e.source AND o.key = lookup_1(e.key) AND o.sequence = e.sequence));

    -- Subjects of which nothing would be left go too. If one is in use, so do its
    -- events not: else its row would stay forever.
    empty := ARRAY(SELECT s.number FROM subjects s
        WHERE s.number IN (SELECT e.subject FROM events e WHERE e.sequence = ANY (chosen)) AND NOT s.queued AND NOT s.held
        AND NOT EXISTS (SELECT 1 FROM events o WHERE o.subject = s.number AND o.sequence <> ALL (chosen)));
    locked := ARRAY(SELECT s.number FROM subjects s WHERE s.number = ANY (empty) FOR UPDATE SKIP LOCKED);
    chosen := ARRAY(SELECT e.sequence FROM events e WHERE e.sequence = ANY (chosen)
        AND (e.subject IS NULL OR e.subject = ANY (locked) OR e.subject <> ALL (empty)));

    DELETE FROM keys o USING unnest(chosen) AS c (sequence), events e
        WHERE e.sequence = c.sequence AND o.source = e.source AND o.key = lookup_1(e.key) AND o.sequence = e.sequence;
    UPDATE payloads p SET refs = p.refs - x.refs
        FROM (SELECT e.payload, count(*) AS refs FROM events e WHERE e.sequence = ANY (chosen) GROUP BY e.payload) x
        WHERE p.id = x.payload;
    DELETE FROM payloads p WHERE p.refs = 0 AND p.id IN (SELECT e.payload FROM events e WHERE e.sequence = ANY (chosen));
    DELETE FROM events e WHERE e.sequence = ANY (chosen);
    GET DIAGNOSTICS gone = ROW_COUNT;

    -- Looked at again, under the lock: an append may have come in between.
    DELETE FROM subjects s WHERE s.number = ANY (locked) AND NOT s.queued AND NOT s.held
        AND NOT EXISTS (SELECT 1 FROM events e WHERE e.subject = s.number);

    -- What was done to a subject that is held stays: it may be why.
    DELETE FROM audit a WHERE a.id IN (SELECT o.id FROM audit o
        WHERE o.at < before AND NOT EXISTS (SELECT 1 FROM subjects s WHERE s.id = o.subject AND s.held)
        ORDER BY o.at LIMIT at_most FOR UPDATE SKIP LOCKED);
    RETURN gone;
END
$$;
