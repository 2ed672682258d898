package samples

import (
	"net/http"
	"strings"
)

func redo() dialect {
	return dialect{
		name:    "redo",
		secret:  "SECRET",
		types:   []string{"return.updated", "return.created", "return.backfill"},
		make:    makeRedo,
		fill:    func(*Options, func(string) string) {},
		private: func(random func() string) map[string]string { return map[string]string{"SECRET": random()} },
	}
}

func makeRedo(o Options) (Sample, error) {
	if o.Secret == "" {
		return Sample{}, missing("SECRET")
	}
	s := Sample{Method: http.MethodPost, Header: jsonHeader(), Body: o.Body, Type: o.Type}
	s.Header.Set("Authorization", "Bearer "+o.Secret)
	if o.Body != nil {
		return s, nil
	}
	body := embedded("redo-return")
	at := moment(o).Format(precise)
	what := in(body, "return")
	s.Subject = cmpOr(o.Subject, what["id"].(string))
	body["type"], body["at"] = strings.TrimPrefix(o.Type, "return."), at
	what["id"], what["updatedAt"] = s.Subject, at
	s.Body = encode(body)
	return s, nil
}
