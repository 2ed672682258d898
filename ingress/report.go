package ingress

import (
	"errors"
	"log/slog"

	"github.com/holdfast-project/holdfast/inbox"
)

// unknownSource stands for whatever a path named that is no source: the path
// itself could be anything, a secret too.
const unknownSource = "unknown"

// report writes the request's one log line and counts it. The sender's mistakes
// are warnings, ours are errors.
func (d *Door) report(v *visit, status int, err error) {
	source := v.source.Name
	if source == "" {
		source = unknownSource
	}
	took := d.now().Sub(v.started)
	d.metrics.count(source, status, took, v.receipts)

	var room [12]slog.Attr
	attrs := append(room[:0],
		slog.String("source", source),
		slog.Int("status", status),
		slog.Duration("duration", took),
		slog.String("request_id", v.requestID),
	)
	level := slog.LevelInfo
	switch {
	case v.handshook:
		attrs = append(attrs, slog.Bool("handshake", true))
		if status >= 400 {
			level = slog.LevelWarn
			attrs = append(attrs, slog.String("error", refusedHandshake(status).Error()))
		}
	case err == nil:
		attrs = v.appendEvents(attrs)
		if v.reason != "" {
			level = slog.LevelWarn
			attrs = append(attrs, slog.String("error", clean(v.reason, maxReason)))
		}
	default:
		level = slog.LevelWarn
		if status >= 500 && status != 501 {
			level = slog.LevelError
		}
		attrs = append(attrs, slog.String("error", clean(err.Error(), maxReason)))
		if crash, ok := errors.AsType[*panicError](err); ok {
			attrs = append(attrs, slog.String("stack", string(crash.stack)))
		}
	}
	d.log.LogAttrs(v.c.Request.Context(), level, "webhook", attrs...)
}

// appendEvents describes the first event, which nearly always is the only one, and
// counts them all.
func (v *visit) appendEvents(attrs []slog.Attr) []slog.Attr {
	if len(v.receipts) == 0 {
		return append(attrs, slog.Int("events", 0))
	}
	duplicates, quarantined := 0, 0
	for _, receipt := range v.receipts {
		switch outcome(receipt) {
		case outcomeDuplicate:
			duplicates++
		case outcomeQuarantined:
			quarantined++
		}
	}
	first := v.receipts[0]
	return append(attrs,
		slog.Int("events", len(v.receipts)),
		slog.Int("duplicates", duplicates),
		slog.Int("quarantined", quarantined),
		slog.String("event_id", first.EventID),
		slog.Int64("sequence", first.Sequence),
		slog.String("subject", first.Subject),
		slog.String("type", v.kind),
	)
}

// The values of the label outcome.
const (
	outcomeAccepted    = "accepted"
	outcomeDuplicate   = "duplicate"
	outcomeQuarantined = "quarantined"
)

func outcome(r inbox.Receipt) string {
	switch {
	case r.Duplicate:
		return outcomeDuplicate
	case r.Status == inbox.StatusQuarantined:
		return outcomeQuarantined
	default:
		return outcomeAccepted
	}
}
