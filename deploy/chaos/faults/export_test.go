package faults

import "context"

// Quota gives the inbox of a server no more room, until end.
func Quota(ctx context.Context, server interface{ URL(database string) string }) (end func() error, err error) {
	q := &quota{server: server}
	if _, err := q.begin(ctx); err != nil {
		return nil, err
	}
	return func() error { return q.end(ctx) }, nil
}
