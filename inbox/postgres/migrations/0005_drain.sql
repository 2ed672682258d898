-- needs: 1
--
-- What a drain does for each event, as functions: their plans are made once in a
-- session, where a statement's own would be made each time.

-- The first pending events of a subject, in order: at most so many, and no further
-- one once their bodies exceed so many bytes.
CREATE FUNCTION next_1(subject_ text, at_most bigint, bytes bigint) RETURNS TABLE (
    sequence bigint, event_id text, source text, provider text, subject text, type text, key text,
    at timestamptz, received_at timestamptz, "position" bigint, related text, staging boolean, status text,
    attempts bigint, reason text, handler text, settled_at timestamptz, redo bigint, replay_of bigint, run_id text,
    content_type text, encoding smallint, size bigint, body bytea
)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    number_ bigint := (SELECT s.number FROM subjects s WHERE s.id = subject_);
BEGIN
    IF at_most = 1 THEN
        RETURN QUERY SELECT e.sequence, e.event_id, e.source, e.provider, subject_, e.type, e.key,
            e.at, e.received_at, e.position, e.related, e.staging, e.status,
            e.attempts, e.reason, e.handler, e.settled_at, e.redo, e.replay_of, coalesce(e.run_id, ''),
            p.content_type, p.encoding, p.size, p.body
        FROM (SELECT e.* FROM events e WHERE e.subject = number_ AND e.status = 'pending' ORDER BY e.sequence LIMIT 1) e
        JOIN payloads p ON p.id = e.payload;
        RETURN;
    END IF;
    -- A body that is not sent costs nothing: large ones are beside the table, and the
    -- sum is over what is in it.
    RETURN QUERY SELECT e.sequence, e.event_id, e.source, e.provider, subject_, e.type, e.key,
        e.at, e.received_at, e.position, e.related, e.staging, e.status,
        e.attempts, e.reason, e.handler, e.settled_at, e.redo, e.replay_of, coalesce(e.run_id, ''),
        e.content_type, e.encoding, e.size, e.body
    FROM (SELECT e.*, p.content_type, p.encoding, p.size, p.body, sum(p.size) OVER (ORDER BY e.sequence) - p.size AS before
        FROM (SELECT e.* FROM events e WHERE e.subject = number_ AND e.status = 'pending' ORDER BY e.sequence LIMIT at_most) e
        JOIN payloads p ON p.id = e.payload) e
    WHERE e.before <= bytes ORDER BY e.sequence;
END
$$;

-- Claims and settlements of different subjects, as they mostly are: a claim of a
-- subject that nobody holds or has in hand, a settlement by the owner of an event that
-- is pending. What is otherwise is left as it is, and said so (done: false): the rules
-- for that are in the program, and another transaction's. Like an append it commits by
-- itself. Who is passed over gets no answer.
--
-- What the program's Row.InHand, Take and Settle do.
CREATE FUNCTION drain_1(
    patience text, -- lock_timeout; NULL: who is locked is passed over
    o_subject text[], -- each once
    o_claim boolean[], -- else it is a settlement
    o_run text[], o_last boolean[],
    c_now timestamptz[], c_wrong timestamptz[], -- a hand that began after that was noted under a wrong clock
    c_until timestamptz[],
    s_epoch bigint[], s_sequence bigint[], s_status text[], s_reason text[], s_handler text[], s_attempts bigint[],
    s_at timestamptz[], s_run text[], s_original text[] -- NULL: none
) RETURNS TABLE (
    nr integer, done boolean, pending bigint, held boolean,
    next bigint, -- sequence of the first pending event; 0: none
    epoch bigint, -- 0: the claim found nothing to take
    name text, source text, streak integer, spent bigint, holds integer, next_wake timestamptz, last_error text, failed_at timestamptz
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
        s.name, s.source, s.streak, s.spent, s.holds, s.next_wake, s.last_error, s.failed_at
    FROM unnest(l_nr, l_number, l_verdict) AS x (nr, number, verdict) JOIN subjects s ON s.number = x.number;
END
$$;
