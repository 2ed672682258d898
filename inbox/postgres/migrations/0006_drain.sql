-- needs: 1
--
-- Does what drain_1 does, and gives the first pending event of each subject that it has
-- claimed along with the claim, where that is not too large and has not failed before:
-- its drain need not ask for it.
CREATE FUNCTION drain_2(
    patience text, -- lock_timeout; NULL: who is locked is passed over
    o_subject text[], -- each once
    o_claim boolean[], -- else it is a settlement
    o_run text[], o_last boolean[],
    c_now timestamptz[], c_wrong timestamptz[], -- a hand that began after that was noted under a wrong clock
    c_until timestamptz[],
    s_epoch bigint[], s_sequence bigint[], s_status text[], s_reason text[], s_handler text[], s_attempts bigint[],
    s_at timestamptz[], s_run text[], s_original text[], -- NULL: none
    bytes bigint -- the largest body that comes along
) RETURNS TABLE (
    nr integer, done boolean, pending bigint, held boolean,
    next bigint, -- sequence of the first pending event; 0: none
    epoch bigint, -- 0: the claim found nothing to take
    name text, source text, streak integer, spent bigint, holds integer, next_wake timestamptz, last_error text, failed_at timestamptz,
    -- The first event of who was claimed, as next_1 has it; NULL: it is not here.
    f_sequence bigint, f_event_id text, f_source text, f_provider text, f_subject text, f_type text, f_key text,
    f_at timestamptz, f_received_at timestamptz, f_position bigint, f_related text, f_staging boolean, f_status text,
    f_attempts bigint, f_reason text, f_handler text, f_settled_at timestamptz, f_redo bigint, f_replay_of bigint, f_run_id text,
    f_content_type text, f_encoding smallint, f_size bigint, f_body bytea
)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    -- Those whose subject is locked now: its number, and what comes of the operation.
    l_nr    integer[];
    l_number bigint[];
    l_verdict text[]; -- 'take', 'nothing' to take, 'settle', or 'other'
    settled integer[] := '{}';
BEGIN
    IF patience IS NOT NULL THEN
        PERFORM set_config('lock_timeout', patience, true);
        PERFORM 1 FROM subjects s WHERE s.id = ANY (o_subject) ORDER BY s.id FOR UPDATE;
    END IF;
    -- In the order of the ids, as everybody locks.
    WITH locked AS MATERIALIZED (
        SELECT x.nr::integer, s.number, CASE
            WHEN NOT o_claim[x.nr] THEN
                CASE WHEN s.epoch = s_epoch[x.nr] AND s.epoch > 0 THEN 'settle' ELSE 'other' END
            WHEN s.held OR s.busy_run <> o_run[x.nr] AND coalesce(s.busy_until > c_now[x.nr], false)
                AND NOT coalesce(s.busy_since > c_wrong[x.nr], false) THEN 'other'
            WHEN s.pending = 0 OR s.next_wake > c_now[x.nr] THEN 'nothing'
            ELSE 'take' END AS verdict
        FROM unnest(o_subject) WITH ORDINALITY AS x (id, nr) JOIN subjects s ON s.id = x.id
        ORDER BY s.id FOR UPDATE OF s SKIP LOCKED)
    SELECT array_agg(l.nr), array_agg(l.number), array_agg(l.verdict) INTO l_nr, l_number, l_verdict FROM locked l;

    -- The status is compared so that the index of all that is pending is not looked through.
    IF 'settle' = ANY (l_verdict) THEN
        WITH written AS (
            UPDATE events e SET status = s_status[x.nr], reason = s_reason[x.nr], handler = s_handler[x.nr],
                attempts = e.attempts + s_attempts[x.nr], settled_at = s_at[x.nr],
                epoch = s_epoch[x.nr], run_id = s_run[x.nr], original_run_id = s_original[x.nr]
            FROM unnest(l_nr, l_number, l_verdict) AS x (nr, number, verdict)
            WHERE x.verdict = 'settle' AND e.sequence = s_sequence[x.nr] AND e.subject = x.number
                AND e.status IS NOT DISTINCT FROM 'pending'
            RETURNING x.nr)
        SELECT coalesce(array_agg(w.nr), '{}') INTO settled FROM written w;
    END IF;

    UPDATE subjects s SET
        pending    = CASE WHEN o_claim[x.nr] THEN s.pending ELSE s.pending - 1 END,
        epoch      = CASE WHEN o_claim[x.nr] THEN nextval('epochs') ELSE s.epoch END,
        streak     = CASE WHEN o_claim[x.nr] THEN s.streak ELSE 0 END,
        spent      = CASE WHEN o_claim[x.nr] THEN s.spent ELSE 0 END,
        holds      = CASE WHEN o_claim[x.nr] THEN s.holds ELSE 0 END,
        next_wake  = CASE WHEN o_claim[x.nr] THEN s.next_wake END,
        last_error = CASE WHEN o_claim[x.nr] THEN s.last_error ELSE '' END,
        failed_at  = CASE WHEN o_claim[x.nr] THEN s.failed_at END,
        sweep_at   = CASE WHEN o_claim[x.nr] THEN greatest(coalesce(c_until[x.nr], c_now[x.nr]), s.next_wake) ELSE s.sweep_at END,
        busy_run   = CASE WHEN o_claim[x.nr] THEN CASE WHEN c_until[x.nr] IS NULL THEN '' ELSE o_run[x.nr] END
                          WHEN o_last[x.nr] OR s.pending = 1 THEN '' ELSE s.busy_run END,
        busy_since = CASE WHEN o_claim[x.nr] THEN CASE WHEN c_until[x.nr] IS NOT NULL THEN c_now[x.nr] END
                          WHEN o_last[x.nr] OR s.pending = 1 THEN NULL ELSE s.busy_since END,
        busy_until = CASE WHEN o_claim[x.nr] THEN c_until[x.nr]
                          WHEN o_last[x.nr] OR s.pending = 1 THEN NULL ELSE s.busy_until END
    FROM unnest(l_nr, l_number, l_verdict) AS x (nr, number, verdict)
    WHERE s.number = x.number AND (x.verdict = 'take' OR x.nr = ANY (settled));

    RETURN QUERY SELECT x.nr, x.verdict IN ('take', 'nothing') OR x.nr = ANY (settled), s.pending, s.held,
        CASE WHEN o_claim[x.nr] OR s.pending = 0 THEN 0
            ELSE coalesce((SELECT e.sequence FROM events e WHERE e.subject = s.number AND e.status = 'pending' ORDER BY e.sequence LIMIT 1), 0) END,
        CASE x.verdict WHEN 'take' THEN s.epoch ELSE 0 END,
        s.name, s.source, s.streak, s.spent, s.holds, s.next_wake, s.last_error, s.failed_at,
        f.sequence, f.event_id, f.source, f.provider, s.id, f.type, f.key,
        f.at, f.received_at, f.position, f.related, f.staging, f.status,
        f.attempts, f.reason, f.handler, f.settled_at, f.redo, f.replay_of, coalesce(f.run_id, ''),
        f.content_type, f.encoding, f.size, f.body
    FROM unnest(l_nr, l_number, l_verdict) AS x (nr, number, verdict) JOIN subjects s ON s.number = x.number
    LEFT JOIN LATERAL (
        SELECT e.*, p.content_type, p.encoding, p.size, p.body FROM events e JOIN payloads p ON p.id = e.payload
        WHERE x.verdict = 'take' AND s.streak = 0 AND e.subject = s.number AND e.status = 'pending' ORDER BY e.sequence LIMIT 1
    ) f ON f.size <= bytes;
END
$$;
