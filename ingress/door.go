package ingress

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-project/holdfast/inbox"
)

// defaultAppendTimeout leaves Redo, which waits five seconds, time to hear a 503.
const defaultAppendTimeout = 3 * time.Second

// Bell wakes subjects. It never blocks. *doorbell.Ringer is one.
type Bell interface {
	Ring(subject string)
}

// Options are what a Door needs.
type Options struct {
	Config   Config
	Sources  []Source
	Inbox    inbox.Accepter
	Bell     Bell
	Log      *slog.Logger
	Registry prometheus.Registerer

	// Now is the clock of what is received; nil: time.Now.
	Now func() time.Time
	// AppendTimeout is how long the inbox may take for one request; zero: 3 s.
	AppendTimeout time.Duration
}

// Door receives webhooks. It is safe for concurrent use.
type Door struct {
	sources       map[string]Source
	inbox         inbox.Accepter
	bell          Bell
	log           *slog.Logger
	now           func() time.Time
	maxBody       int64
	bodies        *budget
	patience      time.Duration
	stall         time.Duration
	appendTimeout time.Duration
	metrics       *metrics
}

// New makes a Door. It panics if its metrics are registered already.
func New(o Options) *Door {
	d := &Door{
		sources:       map[string]Source{},
		inbox:         o.Inbox,
		bell:          o.Bell,
		log:           o.Log,
		now:           o.Now,
		maxBody:       o.Config.MaxBody,
		bodies:        newBudget(o.Config.MaxBodiesInFlight, o.Config.MaxBody),
		patience:      defaultPatience,
		stall:         defaultStall,
		appendTimeout: o.AppendTimeout,
	}
	if d.now == nil {
		d.now = time.Now
	}
	if d.appendTimeout == 0 {
		d.appendTimeout = defaultAppendTimeout
	}
	for _, source := range o.Sources {
		d.sources[source.Name] = source
	}
	d.metrics = newMetrics(o.Registry, o.Sources, func() float64 {
		return float64(o.Config.MaxBodiesInFlight - d.bodies.free.Load())
	})
	return d
}

// quiet stops Gin from printing its routes.
var quiet = sync.OnceFunc(func() { gin.SetMode(gin.ReleaseMode) })

// Handler returns the door's HTTP surface: /webhooks/{source} and
// /webhooks/{source}/{suffix}, for every method; anything else is a 404.
func (d *Door) Handler() http.Handler {
	quiet()
	engine := gin.New()
	engine.RedirectTrailingSlash = false // a sender would lose the body on the way
	engine.HandleMethodNotAllowed = true
	engine.Any("/webhooks/:source", d.serve)
	engine.Any("/webhooks/:source/:suffix", d.serve)
	engine.NoRoute(func(c *gin.Context) {
		c.Params = nil // Gin leaves those of the route that nearly matched
		d.serve(c)
	})
	// A method that HTTP does not define has no parameters from Gin.
	engine.NoMethod(func(c *gin.Context) {
		source, suffix, _ := strings.Cut(strings.TrimPrefix(c.Request.URL.Path, "/webhooks/"), "/")
		c.Params = gin.Params{{Key: "source", Value: source}, {Key: "suffix", Value: suffix}}
		d.serve(c)
	})
	return engine
}
