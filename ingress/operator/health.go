package operator

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// checkTimeout is shorter than what Kubernetes and load balancers are usually
// told to wait.
const checkTimeout = 2 * time.Second

// Check is something that must be so for the process to be ready. Run must heed
// its context, and its error must hold no secret: everybody may read it.
type Check struct {
	Name string
	Run  func(ctx context.Context) error
}

// healthz says that the process runs, whatever else does not: to restart it
// would repair nothing.
func (a *API) healthz(c *gin.Context) {
	c.JSON(http.StatusOK, gin.H{"status": "ok"})
}

func (a *API) readyz(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), checkTimeout)
	defer cancel()
	answer := ReadyJSON{Ready: true, Checks: map[string]string{}}
	for i, err := range a.check(ctx) {
		name := a.Checks[i].Name
		answer.Checks[name] = "ok"
		if err != nil {
			answer.Ready = false
			answer.Checks[name] = err.Error()
		}
	}
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(status, answer)
}

func (a *API) check(ctx context.Context) []error {
	results := make([]error, len(a.Checks))
	var all sync.WaitGroup
	for i, check := range a.Checks {
		all.Go(func() { results[i] = check.Run(ctx) })
	}
	all.Wait()
	return results
}

func (a *API) metricsHandler() http.Handler {
	return promhttp.HandlerFor(a.Metrics, promhttp.HandlerOpts{})
}
