-- needs: 1
--
-- Does what append_1 does, for less: what can be found out of the batch alone comes
-- with it (which subjects and keys, in which order), a subject's row is locked and
-- raised at once as if all keys were new, and corrected if they are not, and the
-- answer has only what the caller does not know.
--
-- Deliveries, events and subjects are numbered from 1; events come in the order of
-- arrival. Locks are taken in one order by everybody: subjects by id, then keys.
CREATE FUNCTION append_2(
    patience text, -- lock_timeout
    -- The subjects, each once, in the order of their ids: how many of the events are to
    -- be pending, and when the first of these came.
    s_id text[], s_name text[], s_source text[], s_count bigint[], s_since timestamptz[],
    -- How many events have a key; of each key the first event that has it, in the
    -- order of sources and keys.
    keyed integer, k_event integer[],
    -- d_first is a delivery's first event, d_count how many it has.
    d_content_type text[], d_encoding smallint[], d_size bigint[], d_body bytea[], d_first integer[], d_count bigint[],
    e_delivery integer[], e_subject integer[], -- 0: none
    e_event_id text[], e_source text[], e_provider text[],
    e_type text[], e_key text[], e_lookup text[], -- how its key is looked up; NULL: each by itself
    e_digest text[], e_expires timestamptz[],
    e_at timestamptz[], e_received timestamptz[], e_position bigint[], e_related text[],
    e_staging boolean[], e_quarantine text[],
    OUT sequences bigint[],
    OUT s_pending bigint[], -- with all of the events that were to be pending
    -- Those whose key was there, and what became of them. NULL: there are none.
    OUT late integer[], OUT l_status text[], OUT l_duplicate boolean[], OUT l_event_id text[], OUT l_subject text[]
)
LANGUAGE plpgsql
-- The plans are those of a large table, also while the tables are small.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    s_number bigint[];
    first    bigint[]; -- the sequences of those whose key is new
    less     bigint[]; -- of each subject, how many are not pending after all
    k        record;
    i        integer;
    d        integer;
    same     bigint;
    other    bigint;
    replaced bigint;
    variant_ text;
    reason_  text;
BEGIN
    PERFORM set_config('lock_timeout', patience, true);

    -- What Row.Raise does.
    WITH raised AS (
        INSERT INTO subjects AS s (id, name, source, pending, sweep_at)
        SELECT s_id[x], s_name[x], s_source[x], s_count[x], s_since[x] FROM generate_series(1, cardinality(s_id)) x ORDER BY x
        ON CONFLICT (id) DO UPDATE SET pending = s.pending + excluded.pending,
            sweep_at = CASE
                WHEN s.queued OR excluded.pending = 0 THEN s.sweep_at
                WHEN s.held THEN s.held_until
                WHEN s.next_wake > excluded.sweep_at THEN s.next_wake
                ELSE excluded.sweep_at END
        RETURNING s.number, s.pending)
    SELECT array_agg(number), array_agg(pending) INTO s_number, s_pending FROM raised;

    -- Under those locks, so sequence order is commit order in each subject.
    sequences := ARRAY(SELECT nextval('event_sequence') FROM generate_series(1, cardinality(e_delivery)));

    -- Whose key is new? Another session's first copy that has not committed is waited for.
    IF keyed > 0 THEN
        e_lookup := coalesce(e_lookup, e_key);
        WITH remembered AS (
            INSERT INTO keys (source, key, variant, sequence, digest, expires_at)
            SELECT e_source[x.e], e_lookup[x.e], '', sequences[x.e], e_digest[x.e], e_expires[x.e]
            FROM unnest(k_event) WITH ORDINALITY AS x (e, nr)
            WHERE NOT EXISTS (SELECT 1 FROM keys o WHERE o.source = e_source[x.e] AND o.key = e_lookup[x.e])
            ORDER BY x.nr
            ON CONFLICT DO NOTHING
            RETURNING sequence)
        SELECT coalesce(array_agg(r.sequence), '{}') INTO first FROM remembered r;

        IF cardinality(first) < keyed THEN
            late := ARRAY(SELECT x FROM generate_series(1, cardinality(e_delivery)) x
                WHERE e_lookup[x] <> '' AND sequences[x] <> ALL (first) ORDER BY x);
            FOREACH i IN ARRAY late LOOP
                d_count[e_delivery[i]] := d_count[e_delivery[i]] - 1;
            END LOOP;
            d_first := ARRAY(SELECT (SELECT min(e.nr) FROM unnest(e_delivery) WITH ORDINALITY AS e (delivery, nr)
                WHERE e.delivery = x AND e.nr <> ALL (late)) FROM generate_series(1, cardinality(d_size)) x ORDER BY x);
        END IF;
    END IF;

    INSERT INTO payloads (id, refs, content_type, encoding, size, body)
    SELECT sequences[d_first[x]], d_count[x], d_content_type[x], d_encoding[x], d_size[x], d_body[x]
    FROM generate_series(1, cardinality(d_size)) x WHERE d_count[x] > 0;

    INSERT INTO events (sequence, event_id, source, provider, subject, type, key, at, received_at,
        position, related, staging, payload, status, reason, settled_at)
    SELECT sequences[x], e_event_id[x], e_source[x], e_provider[x], s_number[e_subject[x]],
        e_type[x], e_key[x], e_at[x], e_received[x], e_position[x], e_related[x], e_staging[x],
        sequences[d_first[e_delivery[x]]],
        CASE e_quarantine[x] WHEN '' THEN 'pending' ELSE 'quarantined' END, e_quarantine[x],
        CASE e_quarantine[x] WHEN '' THEN NULL ELSE e_received[x] END
    FROM generate_series(1, cardinality(e_delivery)) x WHERE late IS NULL OR x <> ALL (late);

    IF late IS NULL THEN
        RETURN;
    END IF;

    -- The keys that were there, so that two sessions do not judge by them at once.
    PERFORM 1 FROM (SELECT DISTINCT e_source[x.e] AS source, e_lookup[x.e] AS key FROM unnest(late) AS x (e)) x
        JOIN keys o ON o.source = x.source AND o.key = x.key
        ORDER BY o.source, o.key, o.variant FOR UPDATE OF o;

    less := array_fill(0::bigint, ARRAY[cardinality(s_id)]);
    FOREACH i IN ARRAY late LOOP
        d := e_delivery[i];
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
                sequences[i] := same;
                l_status := l_status || k.status;
                l_duplicate := l_duplicate || true;
                l_event_id := l_event_id || k.event_id;
                l_subject := l_subject || k.subject;
                IF e_quarantine[i] = '' THEN
                    less[e_subject[i]] := less[e_subject[i]] + 1;
                END IF;
                EXIT;
            END IF;

            variant_ := CASE WHEN other IS NULL THEN '' ELSE e_digest[i] END;
            SELECT o.sequence INTO replaced FROM keys o
                WHERE o.source = e_source[i] AND o.key = e_lookup[i] AND o.variant = variant_;
            IF replaced IS NULL THEN
                INSERT INTO keys (source, key, variant, sequence, digest, expires_at)
                    VALUES (e_source[i], e_lookup[i], variant_, sequences[i], e_digest[i], e_expires[i])
                    ON CONFLICT DO NOTHING;
            ELSE
                UPDATE keys o SET sequence = sequences[i], digest = e_digest[i], expires_at = e_expires[i]
                    WHERE o.source = e_source[i] AND o.key = e_lookup[i] AND o.variant = variant_ AND o.sequence = replaced;
            END IF;
            CONTINUE WHEN NOT FOUND; -- somebody else was there first: judge again

            reason_ := e_quarantine[i];
            IF reason_ = '' AND other IS NOT NULL THEN
                reason_ := format('its key was used before with another content (sequence %s)', other);
                less[e_subject[i]] := less[e_subject[i]] + 1;
            END IF;
            IF d_count[d] = 0 THEN
                d_first[d] := i;
                INSERT INTO payloads (id, refs, content_type, encoding, size, body)
                    VALUES (sequences[i], 1, d_content_type[d], d_encoding[d], d_size[d], d_body[d]);
            ELSE
                UPDATE payloads p SET refs = p.refs + 1 WHERE p.id = sequences[d_first[d]];
            END IF;
            d_count[d] := d_count[d] + 1;
            l_status := l_status || CASE reason_ WHEN '' THEN 'pending' ELSE 'quarantined' END;
            l_duplicate := l_duplicate || false;
            l_event_id := l_event_id || e_event_id[i];
            l_subject := l_subject || coalesce(s_id[e_subject[i]], '');
            INSERT INTO events (sequence, event_id, source, provider, subject, type, key, at, received_at,
                position, related, staging, payload, status, reason, settled_at)
            VALUES (sequences[i], e_event_id[i], e_source[i], e_provider[i], s_number[e_subject[i]],
                e_type[i], e_key[i], e_at[i], e_received[i], e_position[i], e_related[i], e_staging[i],
                sequences[d_first[d]], l_status[cardinality(l_status)], reason_, CASE WHEN reason_ <> '' THEN e_received[i] END);
            EXIT;
        END LOOP;
    END LOOP;

    UPDATE subjects s SET pending = s.pending - less[x] FROM generate_series(1, cardinality(s_id)) x
        WHERE s.number = s_number[x] AND less[x] > 0;
    -- A subject that came with duplicates only is not there because of them.
    DELETE FROM subjects s WHERE s.number = ANY (s_number) AND NOT s.queued AND NOT s.held
        AND NOT EXISTS (SELECT 1 FROM events e WHERE e.subject = s.number);
END
$$;
