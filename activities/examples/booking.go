package examples

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/holdfast-project/holdfast/activities"
	"github.com/holdfast-project/holdfast/providers"
)

// BookingAPI reads from Redeam's booking API. It is the example of what a handler
// makes of the answers of a service that it depends on.
type BookingAPI struct {
	Client *http.Client
	Base   string // such as https://booking.sandbox.redeam.io/v1.2
	Key    providers.Secret
	Secret providers.Secret
}

// maxFetched is more than any resource of the API should have.
const maxFetched = 4 << 20

// Fetch reads a path. Its errors are classified: wrong credentials hold the
// subject, because every further event would fail as well; what is gone is parked;
// a rate limit says when to come again; all else is tried again with backoff.
func (a *BookingAPI) Fetch(ctx context.Context, path, requestID string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Base+path, http.NoBody)
	if err != nil {
		return nil, activities.Critical(errors.New("the booking API's base is no URL"))
	}
	request.Header.Set("X-API-Key", a.Key.Reveal())
	request.Header.Set("X-API-Secret", a.Secret.Reveal())
	request.Header.Set("X-Request-ID", requestID)
	answer, err := a.Client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if err := judge(answer); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(answer.Body, maxFetched))
}

func judge(answer *http.Response) error {
	err := fmt.Errorf("the booking API answered %s", answer.Status)
	switch answer.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return activities.Critical(err)
	case http.StatusNotFound, http.StatusGone:
		return activities.Park(err)
	case http.StatusTooManyRequests:
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		return activities.RetryAfter(time.Duration(max(seconds, 0))*time.Second, err)
	default:
		return err
	}
}
