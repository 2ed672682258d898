package main

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/holdfast-project/holdfast/ingress/operator"
)

// pageSize is how much is asked for at once: within what the operator API gives,
// and little enough that an interrupted replay stops soon.
const pageSize = 100

// listEvents asks for as many pages as it takes to collect the first limit events,
// and says how to see more if there are.
func listEvents(ctx context.Context, c *operatorClient, filter url.Values, limit int) (operator.EventsJSON, string, error) {
	filter = maps.Clone(filter)
	all := operator.EventsJSON{Events: []operator.EventJSON{}}
	for {
		query := paged(filter, limit-len(all.Events))
		var page operator.EventsJSON
		if err := c.get(ctx, operator.PathEvents, query, &page); err != nil {
			return all, "", err
		}
		all.Events = append(all.Events, page.Events...)
		all.NextAfter = page.NextAfter
		switch {
		case page.NextAfter == nil:
			return all, "", nil
		case len(all.Events) >= limit:
			return all, fmt.Sprintf("There are more: add --after %d", *page.NextAfter), nil
		}
		filter.Set("after", strconv.FormatInt(*page.NextAfter, 10))
	}
}

// listNewest collects the last limit events, page after page towards the older
// ones, and says how to see earlier ones if there are.
func listNewest(ctx context.Context, c *operatorClient, filter url.Values, limit int) (operator.EventsJSON, string, error) {
	filter = maps.Clone(filter)
	filter.Set("newest", "true")
	var found []operator.EventJSON
	for {
		query := paged(filter, limit+1-len(found)) // one more tells whether there are earlier ones
		var page operator.EventsJSON
		if err := c.get(ctx, operator.PathEvents, query, &page); err != nil {
			return page, "", err
		}
		found = slices.Concat(page.Events, found)
		if len(found) > limit {
			found = found[len(found)-limit:]
			return operator.EventsJSON{Events: found}, fmt.Sprintf("There are earlier ones: add --before %d", found[0].Sequence), nil
		}
		if query.Get("limit") != strconv.Itoa(len(page.Events)) {
			return operator.EventsJSON{Events: append([]operator.EventJSON{}, found...)}, "", nil
		}
		filter.Set("before", strconv.FormatInt(found[0].Sequence, 10))
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
