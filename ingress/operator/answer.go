package operator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"

	"github.com/gin-gonic/gin"

	"github.com/holdfast-project/holdfast/inbox"
)

// badRequest is a mistake of the caller's. Its message names it.
type badRequest struct{ message string }

func (e *badRequest) Error() string { return e.message }

func bad(format string, args ...any) error {
	return &badRequest{message: fmt.Sprintf(format, args...)}
}

// about says what an error of the inbox is about. For what does not exist that
// is all there is to say.
func about(err error, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if errors.Is(err, inbox.ErrNotFound) {
		return fmt.Errorf("%s: %w", what, inbox.ErrNotFound)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// request is one call of the API. Its context ends with the store's time.
type request struct {
	*gin.Context
	ctx context.Context
}

// raw is an answer that is not JSON.
type raw struct {
	contentType string
	filename    string
	body        []byte
}

// endpoint makes a handler of a function from request to answer.
func (a *API) endpoint(f func(request) (any, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		base := c.Request.Context()
		if c.Request.Method == http.MethodPost {
			// What was begun is finished, and told to the run, also when the
			// operator's terminal is gone.
			base = context.WithoutCancel(base)
		}
		ctx, cancel := context.WithTimeout(base, storeTimeout)
		defer cancel()
		answer, err := f(request{Context: c, ctx: ctx})
		if err != nil {
			a.refuse(c, err)
			return
		}
		header := c.Writer.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		if file, ok := answer.(raw); ok {
			// A payload comes from outside: it is never to be rendered or run.
			header.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", file.filename))
			header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
			c.Data(http.StatusOK, file.contentType, file.body)
			return
		}
		c.JSON(http.StatusOK, answer)
	}
}

// refuse maps an error to its status, in this one place.
func (a *API) refuse(c *gin.Context, err error) {
	if _, ok := errors.AsType[*badRequest](err); ok {
		c.JSON(http.StatusBadRequest, ErrorJSON{Error: err.Error()})
		return
	}
	if refused, ok := errors.AsType[*inbox.RefusedError](err); ok {
		c.JSON(http.StatusConflict, ErrorJSON{Error: refused.Message})
		return
	}
	if errors.Is(err, inbox.ErrNotFound) {
		c.JSON(http.StatusNotFound, ErrorJSON{Error: err.Error()})
		return
	}
	a.Log.ErrorContext(c.Request.Context(), "operator request",
		slog.String("path", c.FullPath()), slog.Int("status", http.StatusServiceUnavailable), slog.Any("error", err))
	unavailable(c)
}

func unavailable(c *gin.Context) {
	c.Header("Retry-After", "5")
	c.AbortWithStatusJSON(http.StatusServiceUnavailable, ErrorJSON{Error: "the inbox did not answer; try again, and see /readyz"})
}

// recovered answers 503 to a panic, and logs it without its value, which could
// hold a piece of a payload, unless it is the runtime's own.
func (a *API) recovered(c *gin.Context) {
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		what := fmt.Sprintf("panic with a %T", value)
		if cause, ok := value.(runtime.Error); ok {
			what = "panic: " + cause.Error()
		}
		a.Log.ErrorContext(c.Request.Context(), "operator request", slog.String("path", c.FullPath()),
			slog.Int("status", http.StatusServiceUnavailable), slog.String("error", what), slog.String("stack", string(debug.Stack())))
		if !c.Writer.Written() {
			unavailable(c)
		}
	}()
	c.Next()
}
