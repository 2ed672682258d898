package main

import (
	"context"
	"net/url"
	"strconv"

	"github.com/holdfast-project/holdfast/ingress/operator"
)

// pageSize is how much is asked for at once: within what the operator API gives,
// and little enough that an interrupted replay stops soon.
const pageSize = 100

// listEvents asks for as many pages as it takes to collect limit events.
func listEvents(ctx context.Context, c *operatorClient, filter url.Values, after int64, limit int) (operator.EventsJSON, error) {
	all := operator.EventsJSON{Events: []operator.EventJSON{}}
	for {
		query := paged(filter, limit-len(all.Events))
		if after > 0 {
			query.Set("after", strconv.FormatInt(after, 10))
		}
		var page operator.EventsJSON
		if err := c.get(ctx, operator.PathEvents, query, &page); err != nil {
			return all, err
		}
		all.Events = append(all.Events, page.Events...)
		all.NextAfter = page.NextAfter
		if page.NextAfter == nil || len(all.Events) >= limit {
			return all, nil
		}
		after = *page.NextAfter
	}
}

// listSubjects asks for as many pages as it takes to collect limit subjects.
func listSubjects(ctx context.Context, c *operatorClient, filter url.Values, after string, limit int) (operator.SubjectsJSON, error) {
	all := operator.SubjectsJSON{Subjects: []operator.SubjectJSON{}}
	for {
		query := paged(filter, limit-len(all.Subjects))
		if after != "" {
			query.Set("after", after)
		}
		var page operator.SubjectsJSON
		if err := c.get(ctx, operator.PathSubjects, query, &page); err != nil {
			return all, err
		}
		all.Subjects = append(all.Subjects, page.Subjects...)
		all.NextAfter = page.NextAfter
		if page.NextAfter == nil || len(all.Subjects) >= limit {
			return all, nil
		}
		after = *page.NextAfter
	}
}

// paged returns the filter with the size of the next page.
func paged(filter url.Values, missing int) url.Values {
	query := url.Values{"limit": {strconv.Itoa(min(missing, pageSize))}}
	for name, values := range filter {
		query[name] = values
	}
	return query
}
