package sqlite

import "context"

// Migrate lets a test bring migrations of its own.
var Migrate = migrate

// Connect opens a database as the writer does.
var Connect = connect

// The statements whose plans a test looks at.
const RungSQL = rungSQL

// StillRungSQL asks about so many subjects.
var StillRungSQL = stillRungSQL

// Write runs an operation of the test's in the writer.
func (s *Store) Write(ctx context.Context, run func(exec func(query string, args ...any) error) error) error {
	_, err := write(ctx, s, func(t *tx) (struct{}, error) {
		return struct{}{}, run(func(query string, args ...any) error {
			_, err := t.exec(query, args...)
			return err
		})
	})
	return err
}
