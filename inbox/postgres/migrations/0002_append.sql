-- needs: 1
--
-- Stores a batch of deliveries in one statement that commits by itself, so whoever
-- called it can die or freeze at any moment without keeping a lock. Deliveries are
-- numbered from 1; events come in the order of arrival.
--
-- Locks are taken in one order by everybody: subjects by id, then keys.
--
-- A change is a new function with a new name: the processes of a rolling upgrade
-- call the one they know.
CREATE FUNCTION append_1(
    patience text, -- lock_timeout
    d_content_type text[], d_encoding smallint[], d_size bigint[], d_body bytea[],
    e_delivery integer[], e_event_id text[], e_source text[], e_provider text[],
    e_subject text[], e_name text[], -- '': none
    e_type text[], e_key text[], e_digest text[], e_expires timestamptz[],
    e_at timestamptz[], e_received timestamptz[], e_position bigint[], e_related text[],
    e_staging boolean[], e_quarantine text[]
) RETURNS TABLE (sequence bigint, status text, duplicate boolean, ring boolean, event_id text, subject text)
LANGUAGE plpgsql
-- The plans are those of a large table, also while the tables are small.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    n          integer   := cardinality(e_delivery);
    e_lookup   text[]    := ARRAY(SELECT lookup_1(x.key) FROM unnest(e_key) WITH ORDINALITY AS x (key, i) ORDER BY x.i);
    made       bigint[]; -- the numbers of subjects that were not there
    seqs       bigint[];
    first      bigint[]; -- the sequences of those whose key is new
    empty      text[];   -- the subjects that had nothing pending
    duplicates boolean[] := array_fill(false, ARRAY[n]);
    rings      boolean[] := array_fill(false, ARRAY[n]);
    statuses   text[];
    event_ids  text[]    := e_event_id;
    subjects_  text[]    := e_subject;
    stored     bigint[]  := array_fill(NULL::bigint, ARRAY[cardinality(d_size)]); -- payloads.id of each delivery
    k          record;
    same       bigint;
    other      bigint;
    replaced   bigint;
    variant_   text;
    reason_    text;
BEGIN
    PERFORM set_config('lock_timeout', patience, true);
    e_digest := ARRAY(SELECT lookup_1(x.digest) FROM unnest(e_digest) WITH ORDINALITY AS x (digest, i) ORDER BY x.i);

    -- Lock the subjects' rows; those that are there are not written.
    WITH locked AS (
        INSERT INTO subjects AS s (id, name, source)
        SELECT DISTINCT ON (x.id COLLATE "C") x.id, x.name, x.source
        FROM unnest(e_subject, e_name, e_source) WITH ORDINALITY AS x (id, name, source, i)
        WHERE x.id <> '' ORDER BY x.id COLLATE "C", x.i
        ON CONFLICT (id) DO UPDATE SET name = s.name WHERE false
        RETURNING s.number)
    SELECT array_agg(number) INTO made FROM locked;

    -- Under those locks, so sequence order is commit order in each subject.
    seqs := ARRAY(SELECT nextval('event_sequence') FROM generate_series(1, n));

    -- Whose key is new? Another session's first copy that has not committed is waited for.
    WITH remembered AS (
        INSERT INTO keys (source, key, variant, sequence, digest, expires_at)
        SELECT x.source, x.key, '', x.sequence, x.digest, x.expires_at FROM (
            SELECT DISTINCT ON (x.source COLLATE "C", x.key COLLATE "C") x.*
            FROM unnest(e_source, e_lookup, seqs, e_digest, e_expires) WITH ORDINALITY
                AS x (source, key, sequence, digest, expires_at, i)
            WHERE x.key <> '' ORDER BY x.source COLLATE "C", x.key COLLATE "C", x.i) x
        WHERE NOT EXISTS (SELECT 1 FROM keys o WHERE o.source = x.source AND o.key = x.key)
        ORDER BY x.source COLLATE "C", x.key COLLATE "C"
        ON CONFLICT DO NOTHING
        RETURNING sequence)
    SELECT coalesce(array_agg(r.sequence), '{}') INTO first FROM remembered r;

    INSERT INTO payloads (id, refs, content_type, encoding, size, body)
    SELECT p.id, p.refs, d.content_type, d.encoding, d.size, d.body
    FROM (SELECT x.delivery, min(x.sequence) AS id, count(*) AS refs
          FROM unnest(e_delivery, seqs, e_lookup) AS x (delivery, sequence, key)
          WHERE x.key = '' OR x.sequence = ANY (first) GROUP BY x.delivery) p
    JOIN unnest(d_content_type, d_encoding, d_size, d_body) WITH ORDINALITY
        AS d (content_type, encoding, size, body, i) ON d.i = p.delivery;

    INSERT INTO events (sequence, event_id, source, provider, subject, type, key, at, received_at,
        position, related, staging, payload, status, reason, settled_at)
    SELECT x.sequence, x.event_id, x.source, x.provider,
        (SELECT s.number FROM subjects s WHERE s.id = x.subject),
        x.type, x.key, x.at, x.received_at, x.position, x.related, x.staging,
        min(x.sequence) OVER (PARTITION BY x.delivery),
        CASE x.quarantine WHEN '' THEN 'pending' ELSE 'quarantined' END, x.quarantine,
        CASE x.quarantine WHEN '' THEN NULL ELSE x.received_at END
    FROM unnest(e_delivery, seqs, e_event_id, e_source, e_provider, e_subject, e_type, e_key, e_lookup,
            e_at, e_received, e_position, e_related, e_staging, e_quarantine)
        AS x (delivery, sequence, event_id, source, provider, subject, type, key, lookup,
            at, received_at, position, related, staging, quarantine)
    WHERE x.lookup = '' OR x.sequence = ANY (first);

    -- What Row.Raise does.
    WITH raised AS (
        UPDATE subjects s SET pending = s.pending + x.pending,
            sweep_at = CASE
                WHEN s.queued THEN s.sweep_at
                WHEN s.held THEN s.held_until
                WHEN s.next_wake > x.since THEN s.next_wake
                ELSE x.since END
        FROM (SELECT x.subject, count(*) AS pending, (array_agg(x.received_at ORDER BY x.sequence))[1] AS since
              FROM unnest(e_subject, e_received, e_quarantine, e_lookup, seqs)
                  AS x (subject, received_at, quarantine, key, sequence)
              WHERE x.quarantine = '' AND (x.key = '' OR x.sequence = ANY (first)) GROUP BY x.subject) x
        WHERE s.id = x.subject
        RETURNING s.id, s.pending = x.pending AS was_empty)
    SELECT coalesce(array_agg(r.id), '{}') INTO empty FROM raised r WHERE r.was_empty;

    FOR i IN 1..n LOOP
        statuses[i] := CASE e_quarantine[i] WHEN '' THEN 'pending' ELSE 'quarantined' END;
        IF e_lookup[i] = '' OR seqs[i] = ANY (first) THEN
            stored[e_delivery[i]] := coalesce(stored[e_delivery[i]], seqs[i]);
            IF e_quarantine[i] = '' AND e_subject[i] = ANY (empty) THEN
                rings[i] := true;
                empty := array_remove(empty, e_subject[i]);
            END IF;
        END IF;
    END LOOP;

    IF cardinality(first) < n AND EXISTS (SELECT 1 FROM unnest(e_lookup, seqs) AS x (key, sequence)
            WHERE x.key <> '' AND x.sequence <> ALL (first)) THEN
        -- The keys that were there, so that two sessions do not judge by them at once.
        PERFORM 1 FROM (SELECT DISTINCT x.source, x.key FROM unnest(e_source, e_lookup, seqs) AS x (source, key, sequence)
                WHERE x.key <> '' AND x.sequence <> ALL (first)) x
            JOIN keys o ON o.source = x.source AND o.key = x.key
            ORDER BY o.source, o.key, o.variant FOR UPDATE OF o;

        FOR i IN 1..n LOOP
            CONTINUE WHEN e_lookup[i] = '' OR seqs[i] = ANY (first);
            LOOP
                -- What Known.Consider and Judge do.
                same := NULL; other := NULL;
                FOR k IN SELECT o.sequence, o.digest, o.expires_at, coalesce(e.status = 'pending', false) AS pending
                    FROM keys o LEFT JOIN events e ON e.sequence = o.sequence
                    WHERE o.source = e_source[i] AND o.key = e_lookup[i] ORDER BY o.variant
                LOOP
                    IF k.expires_at <= e_received[i] AND NOT k.pending THEN
                        CONTINUE;
                    ELSIF same IS NULL AND (k.digest = e_digest[i] OR k.digest = '' OR e_digest[i] = '') THEN
                        same := k.sequence;
                    ELSIF other IS NULL THEN
                        other := k.sequence;
                    END IF;
                END LOOP;
                IF same IS NOT NULL THEN
                    SELECT e.event_id, e.status, coalesce(s.id, '') AS subject INTO STRICT k
                        FROM events e LEFT JOIN subjects s ON s.number = e.subject WHERE e.sequence = same;
                    event_ids[i] := k.event_id;
                    statuses[i] := k.status;
                    subjects_[i] := k.subject;
                    seqs[i] := same;
                    duplicates[i] := true;
                    EXIT;
                END IF;

                variant_ := CASE WHEN other IS NULL THEN '' ELSE e_digest[i] END;
                SELECT o.sequence INTO replaced FROM keys o
                    WHERE o.source = e_source[i] AND o.key = e_lookup[i] AND o.variant = variant_;
                IF replaced IS NULL THEN
                    INSERT INTO keys (source, key, variant, sequence, digest, expires_at)
                        VALUES (e_source[i], e_lookup[i], variant_, seqs[i], e_digest[i], e_expires[i])
                        ON CONFLICT DO NOTHING;
                ELSE
                    UPDATE keys o SET sequence = seqs[i], digest = e_digest[i], expires_at = e_expires[i]
                        WHERE o.source = e_source[i] AND o.key = e_lookup[i] AND o.variant = variant_ AND o.sequence = replaced;
                END IF;
                CONTINUE WHEN NOT FOUND; -- somebody else was there first: judge again

                reason_ := e_quarantine[i];
                IF reason_ = '' AND other IS NOT NULL THEN
                    reason_ := format('its key was used before with another content (sequence %s)', other);
                END IF;
                IF reason_ <> '' THEN
                    statuses[i] := 'quarantined';
                END IF;
                IF stored[e_delivery[i]] IS NULL THEN
                    stored[e_delivery[i]] := seqs[i];
                    INSERT INTO payloads (id, refs, content_type, encoding, size, body) VALUES (seqs[i], 1,
                        d_content_type[e_delivery[i]], d_encoding[e_delivery[i]], d_size[e_delivery[i]], d_body[e_delivery[i]]);
                ELSE
                    UPDATE payloads p SET refs = p.refs + 1 WHERE p.id = stored[e_delivery[i]];
                END IF;
                INSERT INTO events (sequence, event_id, source, provider, subject, type, key, at, received_at,
                    position, related, staging, payload, status, reason, settled_at)
                VALUES (seqs[i], e_event_id[i], e_source[i], e_provider[i],
                    (SELECT s.number FROM subjects s WHERE s.id = e_subject[i]),
                    e_type[i], e_key[i], e_at[i], e_received[i], e_position[i], e_related[i], e_staging[i],
                    stored[e_delivery[i]], statuses[i], reason_, CASE WHEN reason_ <> '' THEN e_received[i] END);
                IF reason_ = '' THEN
                    UPDATE subjects s SET pending = s.pending + 1,
                        sweep_at = CASE
                            WHEN s.queued THEN s.sweep_at
                            WHEN s.held THEN s.held_until
                            WHEN s.next_wake > e_received[i] THEN s.next_wake
                            ELSE e_received[i] END
                    WHERE s.id = e_subject[i] RETURNING s.pending = 1 AS ring INTO STRICT k;
                    rings[i] := k.ring;
                END IF;
                EXIT;
            END LOOP;
        END LOOP;

        -- A subject that came with duplicates only is not there because of them.
        DELETE FROM subjects s WHERE s.number = ANY (made) AND s.pending = 0
            AND NOT EXISTS (SELECT 1 FROM events e WHERE e.subject = s.number);
    END IF;

    RETURN QUERY SELECT * FROM unnest(seqs, statuses, duplicates, rings, event_ids, subjects_);
END
$$;
