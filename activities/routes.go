package activities

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Routes finds the handler for an event: the first whose pattern matches. The
// zero value matches nothing.
type Routes struct {
	routes []route
}

type route struct {
	pattern string
	handler Handler
}

// NewRoutes reads HOLDFAST_ROUTES. Every problem is reported at once.
func NewRoutes(settings []string, d *Destinations, handlers []Handler) (*Routes, error) {
	var problems []error
	byName := map[string]Handler{}
	for _, h := range handlers {
		if _, twice := byName[h.Name]; twice || h.Name == "" || h.Handle == nil {
			problems = append(problems, fmt.Errorf("handler %q: registered twice, or without name or function", h.Name))
		}
		byName[h.Name] = h
	}
	r := &Routes{}
	for i, setting := range settings {
		pattern, handler, err := parseRoute(setting, d, byName)
		if err != nil {
			problems = append(problems, fmt.Errorf("HOLDFAST_ROUTES: route %d: %w", i+1, err))
			continue
		}
		r.routes = append(r.routes, route{pattern, handler})
	}
	return r, errors.Join(problems...)
}

func parseRoute(setting string, d *Destinations, handlers map[string]Handler) (string, Handler, error) {
	pattern, target, found := strings.Cut(strings.TrimSpace(setting), "=")
	switch {
	case !found || pattern == "" || target == "":
		// Not quoted: it may be a URL with a password.
		return "", Handler{}, errors.New("is not of the form source/type=target; a comma in a URL is written %2C")
	case strings.Contains(pattern, "://"):
		return "", Handler{}, errors.New("is a URL where source/type=target is wanted; a comma in a URL is written %2C")
	case pattern != "*" && !strings.Contains(pattern, "/"):
		return "", Handler{}, errors.New("its pattern is not of the form source/type, such as redo/* or */return.updated")
	}
	switch scheme, rest, _ := strings.Cut(target, ":"); scheme {
	case "log":
		if rest != "" {
			return "", Handler{}, fmt.Errorf("for %q: log: takes nothing after the colon", pattern)
		}
		return pattern, d.Log(), nil
	case "go":
		h, known := handlers[rest]
		if !known {
			return "", Handler{}, fmt.Errorf("for %q: there is no handler %q; there are: %s", pattern, rest, names(handlers))
		}
		return pattern, h, nil
	case "http", "https":
		u, err := url.Parse(target)
		if err != nil || u.Host == "" {
			return "", Handler{}, fmt.Errorf("for %q: the target is not a valid URL", pattern)
		}
		return pattern, d.HTTP(u), nil
	default:
		return "", Handler{}, fmt.Errorf("for %q: the target is none of http://…, https://…, log: and go:NAME", pattern)
	}
}

// Match returns the handler for an event's source and type.
func (r *Routes) Match(source, eventType string) (Handler, bool) {
	for _, route := range r.routes {
		if matches(route.pattern, source+"/"+eventType) {
			return route.handler, true
		}
	}
	return Handler{}, false
}

// names lists handlers for a message.
func names(handlers map[string]Handler) string {
	if len(handlers) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(handlers)), ", ")
}

// Names returns the names of all handlers that a route leads to.
func (r *Routes) Names() []string {
	var all []string
	seen := map[string]bool{}
	for _, route := range r.routes {
		if !seen[route.handler.Name] {
			seen[route.handler.Name] = true
			all = append(all, route.handler.Name)
		}
	}
	return all
}

// matches tells whether a pattern, in which * stands for any run of characters,
// matches the whole text.
func matches(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	text, found := strings.CutPrefix(text, first)
	if !found {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return strings.HasSuffix(text, last)
}
