package examples

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/url"
	"strings"

	"github.com/holdfast-project/holdfast/activities"
)

// Redeam is example-redeam. A notification of Redeam's is a hint: it names what
// changed and nothing of how it is now, and its signature does not cover the ids.
// So the truth is fetched from the booking API, every time, and a notification
// that comes twice or late does no harm. Without an API, nil, only the path that
// would be fetched is logged.
func Redeam(log *slog.Logger, api *BookingAPI) activities.Handler {
	return activities.Handler{Name: "example-redeam", Handle: func(ctx context.Context, e activities.Event) error {
		path, ok := redeamPath(e)
		if !ok {
			return errShape
		}
		var fetched []byte
		if api != nil {
			var err error
			if fetched, err = api.Fetch(ctx, path, e.ID); err != nil {
				return err
			}
		}
		log.LogAttrs(ctx, slog.LevelInfo, "example: a change to fetch", about(e,
			slog.String("path", path), slog.Int("bytes", len(fetched)))...)
		return nil
	}}
}

// redeamPath is where the booking API has what an event is about. The type comes
// from the URL that the notification came to: the body does not say it.
func redeamPath(e activities.Event) (path string, ok bool) {
	var body struct {
		SupplierID string `json:"supplierID"`
		ProductID  string `json:"productID"`
		RateID     string `json:"rateID"`
		BookingID  string `json:"bookingID"`
	}
	if json.Unmarshal(e.Body, &body) != nil {
		return "", false
	}
	kind, _, _ := strings.Cut(e.Type, ".")
	if kind == "booking" {
		return join("bookings", body.BookingID)
	}
	if kind == "supplier" {
		return join("suppliers", body.SupplierID)
	}
	if kind == "rate" && body.RateID != "" {
		return join("suppliers", body.SupplierID, "products", body.ProductID, "rates", body.RateID)
	}
	// A binding, an availability or a price: all hang on the product.
	return join("suppliers", body.SupplierID, "products", body.ProductID)
}

// join makes a path of its parts, unless one is missing.
func join(parts ...string) (path string, ok bool) {
	for _, part := range parts {
		if part == "" {
			return "", false
		}
		path += "/" + url.PathEscape(part)
	}
	return path, true
}
