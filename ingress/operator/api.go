package operator

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-project/holdfast/inbox"
)

// storeTimeout is how long the inbox may take for one request of a person.
const storeTimeout = 10 * time.Second

// Bell wakes subjects without blocking. *doorbell.Ringer is one.
type Bell interface {
	Ring(subject string)
	// Tell also makes a waiting run read its subject's row again.
	Tell(subject string)
}

// Options are what an API needs.
type Options struct {
	Config  Config
	Inbox   inbox.Operator
	Bell    Bell
	Log     *slog.Logger
	Metrics prometheus.Gatherer
	Checks  []Check // of /readyz

	// Now is the clock of verbs; nil: time.Now.
	Now func() time.Time
}

// API is the operator's HTTP surface. It is safe for concurrent use.
type API struct{ Options }

// New makes an API.
func New(o Options) *API {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &API{Options: o}
}

// quiet stops Gin from printing its routes.
var quiet = sync.OnceFunc(func() { gin.SetMode(gin.ReleaseMode) })

// Handler returns the whole surface: health and metrics for everybody who can
// connect (metrics for no web page, though), the rest for those that the guard
// lets in.
func (a *API) Handler() http.Handler {
	quiet()
	engine := gin.New()
	engine.RedirectTrailingSlash = false
	engine.HandleMethodNotAllowed = true
	engine.Use(a.recovered)
	engine.GET("/healthz", a.healthz)
	engine.GET("/readyz", a.readyz)
	engine.GET("/metrics", a.guardHost, gin.WrapH(a.metricsHandler()))

	guarded := engine.Group("/", a.guard)
	guarded.GET(PathEvents, a.endpoint(a.events))
	guarded.GET(PathEvents+"/:sequence", a.endpoint(a.event))
	guarded.GET(PathEvents+"/:sequence/payload", a.endpoint(a.payload))
	guarded.POST(PathReplay, a.endpoint(a.replay))
	guarded.GET(PathSubjects, a.endpoint(a.subjects))
	guarded.GET(PathSubject, a.endpoint(a.subject))
	guarded.GET(PathSubjectAudit, a.endpoint(a.audit))
	guarded.POST(PathSubjectPause, a.endpoint(a.verb(inbox.VerbPause)))
	guarded.POST(PathSubjectResume, a.endpoint(a.verb(inbox.VerbResume)))
	guarded.POST(PathSubjectPark, a.endpoint(a.verb(inbox.VerbPark)))

	engine.NoRoute(a.guard, func(c *gin.Context) {
		c.JSON(http.StatusNotFound, ErrorJSON{Error: "no such path; the API is under " + PathEvents + " and " + PathSubjects})
	})
	engine.NoMethod(a.guard, func(c *gin.Context) {
		c.JSON(http.StatusMethodNotAllowed, ErrorJSON{Error: "method not allowed; see the header Allow"})
	})
	return engine
}
