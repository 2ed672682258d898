package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

// awayError is what every operation returns until the schema has been seen.
type awayError struct {
	place string
	cause error
}

func (e *awayError) Error() string { return fmt.Sprintf("%s cannot be reached: %v", e.place, e.cause) }

func (e *awayError) Unwrap() error { return e.cause }

const (
	// openPatience bounds Open, whatever several addresses and a schema take.
	openPatience = 5 * time.Second
	// awayPause is between two tries: a fleet of a hundred processes must not keep a
	// server busy that is just coming up.
	awayPause = time.Second
)

// prepare looks at the schema, or updates it. Its error is for a person to mend;
// that the server is away is only remembered.
func (s *Store) prepare(ctx context.Context, config *pgx.ConnConfig) error {
	err := s.look(ctx, config)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	var wrong *schemaError
	if errors.As(err, &wrong) || isMendable(err) || isContent(err) {
		return err
	}
	s.away.Store(&awayError{s.place, err})
	s.options.Log.Warn("the inbox cannot be reached: trying on", slog.String("inbox", s.place), slog.Any("error", err))
	return nil
}

func (s *Store) look(ctx context.Context, config *pgx.ConnConfig) error {
	err := lookOnly(ctx, config)
	var wrong *schemaError
	if errors.As(err, &wrong) && wrong.old && s.options.Migrate {
		_, _, err = migrate(ctx, config, migrations) // however long that takes
	}
	return err
}

func lookOnly(ctx context.Context, config *pgx.ConnConfig) error {
	ctx, cancel := context.WithTimeout(ctx, openPatience)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return reasonOf(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return checkSchema(ctx, conn)
}

// comeBack tries until the schema is as it should be, or the store is closed.
func (s *Store) comeBack(config *pgx.ConnConfig) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-s.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	last := ""
	for s.pause(awayPause) {
		err := s.look(ctx, config)
		if err == nil {
			s.away.Store(nil)
			s.options.Log.Info("the inbox is there", slog.String("inbox", s.place))
			return
		}
		s.away.Store(&awayError{s.place, err})
		if said := err.Error(); said != last && ctx.Err() == nil {
			s.options.Log.Warn("the inbox cannot be reached yet", slog.String("inbox", s.place), slog.Any("error", err))
			last = said
		}
	}
}

// pause waits, and returns false if the store is being closed.
func (s *Store) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.closing:
		return false
	case <-timer.C:
		return true
	}
}

// start starts what works until Close.
func (s *Store) start(config *pgx.ConnConfig) {
	if s.away.Load() != nil {
		s.working.Go(func() { s.comeBack(config) })
	}
	for range s.options.appenders() {
		s.working.Go(s.acceptAll)
	}
	for range s.options.drainers() {
		s.working.Go(s.changeAll)
	}
}
