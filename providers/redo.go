package providers

import "time"

// RedoConfig are the settings of a Redo source.
type RedoConfig struct {
	Common
	Secret         Secret `required:"true" desc:"the bearer token given to Redo when the webhook was created"`
	PreviousSecret Secret `split_words:"true" desc:"the bearer token before a rotation, accepted too while it is set"`
}

// Validate implements settings.
func (c *RedoConfig) Validate(report func(setting, problem string)) {
	if c.Secret == "" {
		report("SECRET", "is required: the bearer token given to Redo when the webhook was created")
	}
}

func (c *RedoConfig) provider() Provider {
	return &Redo{secret: newRotating(c.Secret, c.PreviousSecret)}
}

func redoDialect() Dialect {
	return Dialect{
		Name:     "redo",
		New:      func(prefix string) (Source, error) { return newSource(prefix, new(RedoConfig)) },
		Settings: func() any { return new(RedoConfig) },
	}
}

// Redo sends returns, each event with the whole return. A static bearer token
// is all there is to prove that it is genuine, so nothing covers the body.
type Redo struct{ secret rotating }

// Verify wants the bearer token.
func (p *Redo) Verify(r Request) error {
	_, err := p.VerifyHeader(r)
	return err
}

// VerifyHeader finds the whole proof or none: there are no handshakes.
func (p *Redo) VerifyHeader(r Request) (proven bool, err error) {
	if err := posted(r); err != nil {
		return false, err
	}
	token, given, err := bearer(r.Header)
	switch {
	case err != nil:
		return false, notGenuine(err.Error())
	case !given:
		return false, notGenuine("there is no authorization header")
	case !p.secret.accepts(token):
		return false, notGenuine("the bearer token is wrong")
	default:
		return true, nil
	}
}

type redoBody struct {
	Type   text `json:"type"`
	At     text `json:"at"`
	Return struct {
		ID        text `json:"id"`
		UpdatedAt text `json:"updatedAt"`
	} `json:"return"`
}

// redoHashLife is how long the key of an event without any time holds. Redo
// gives up on a delivery after several attempts, of which it says only that
// each is to be answered within seconds; a day is far beyond that, and the same
// body a day later is rather something that happened again.
const redoHashLife = 24 * time.Hour

// Parse reads the return's id, the type and the time. The type is part of the
// key, because a return created and updated within a second has one id and time.
func (p *Redo) Parse(r Request) ([]Event, error) {
	var body redoBody
	if err := decode(r.Body, &body); err != nil {
		return nil, err
	}
	if body.Type == "" || body.Return.ID == "" {
		return nil, notUnderstood("the body has no type or no return.id")
	}
	event := Event{Type: "return." + string(body.Type), Subject: string(body.Return.ID)}
	at := first(body.At, body.Return.UpdatedAt)
	if at == "" {
		at, event.KeyLife = text("sha256:"+digest(r.Body)), redoHashLife
	}
	event.At = at.time()
	event.Key = string(body.Return.ID + "-" + at + "-" + body.Type)
	return legible([]Event{event})
}
