package providers

import (
	"fmt"
	"strings"
	"time"
)

// RedeamConfig are the settings of a Redeam source.
type RedeamConfig struct {
	Common
	SecurityKey          Secret        `split_words:"true" desc:"the securityKey of the registry rule, for every type that SECURITY_KEYS does not name"`
	PreviousSecurityKey  Secret        `split_words:"true" desc:"a key before a rotation, accepted too for every type while it is set"`
	SecurityKeys         Secret        `split_words:"true" desc:"the securityKey of each type's rule, as rate:key,product:key"`
	PreviousSecurityKeys Secret        `split_words:"true" desc:"the keys of each type before a rotation, accepted too while they are set"`
	Signature            string        `default:"hmac-sha256" desc:"how the sum is made: hmac-sha256, or md5 as Redeam's guide has it"`
	SignatureTemplate    string        `split_words:"true" default:"{key}{timestamp}{token}" desc:"what an md5 sum is made of"`
	SignatureTolerance   time.Duration `split_words:"true" default:"24h" desc:"how far a signature's time may be from ours, both ways"`
}

const (
	redeamHMAC     = "hmac-sha256"
	redeamMD5      = "md5"
	redeamTemplate = "{key}{timestamp}{token}"

	// redeamMaxTolerance keeps a time in seconds from being taken for one of
	// another length: see redeamSignature.unambiguous.
	redeamMaxTolerance = 366 * 24 * time.Hour
)

// Validate implements settings.
func (c *RedeamConfig) Validate(report func(setting, problem string)) {
	if c.SecurityKey == "" && c.SecurityKeys == "" {
		report("SECURITY_KEY", "is required, or SECURITY_KEYS: the securityKey of the rule in Redeam's notification registry")
	}
	if _, problem := keysByType(c.SecurityKeys); problem != "" {
		report("SECURITY_KEYS", problem)
	}
	if _, problem := keysByType(c.PreviousSecurityKeys); problem != "" {
		report("PREVIOUS_SECURITY_KEYS", problem)
	}
	switch c.Signature {
	case redeamHMAC:
		if c.SignatureTemplate != redeamTemplate {
			report("SIGNATURE_TEMPLATE", "is only used with SIGNATURE=md5; leave it out or set that")
		}
	case redeamMD5:
		for _, part := range []string{"{key}", "{timestamp}", "{token}"} {
			if strings.Count(c.SignatureTemplate, part) != 1 {
				report("SIGNATURE_TEMPLATE", "must have {key}, {timestamp} and {token}, each once")
			}
		}
	default:
		report("SIGNATURE", "must be hmac-sha256 or md5")
	}
	if c.SignatureTolerance < time.Second || c.SignatureTolerance > redeamMaxTolerance {
		report("SIGNATURE_TOLERANCE", "must be from 1s to 8784h")
	}
}

// keysByType reads type:key,type:key. What it says of a problem counts entries
// and never quotes one.
func keysByType(list Secret) (map[string]Secret, string) {
	keys := map[string]Secret{}
	if list == "" {
		return keys, ""
	}
	for i, entry := range strings.Split(list.Reveal(), ",") {
		kind, key, found := strings.Cut(entry, ":")
		kind, key = strings.TrimSpace(kind), strings.TrimSpace(key)
		switch {
		case !found || key == "":
			return nil, fmt.Sprintf("entry %d must be type:key, as in rate:key,product:key", i+1)
		case !redeamSuffix.MatchString(kind):
			return nil, fmt.Sprintf("entry %d must begin with a type as it ends the webhook's path, such as rate", i+1)
		case keys[kind] != "":
			return nil, fmt.Sprintf("entry %d names a type that an earlier entry names; remove one", i+1)
		}
		keys[kind] = Secret(key)
	}
	return keys, ""
}

func (c *RedeamConfig) provider() Provider {
	current, _ := keysByType(c.SecurityKeys)
	previous, _ := keysByType(c.PreviousSecurityKeys)
	p := &Redeam{
		keys:      redeamKeys{c.SecurityKey, c.PreviousSecurityKey, current, previous},
		sum:       hmacSum,
		tolerance: c.SignatureTolerance,
	}
	if c.Signature == redeamMD5 {
		p.sum = md5Sum(c.SignatureTemplate)
	}
	return p
}

func redeamDialect() Dialect {
	return Dialect{
		Name:     "redeam",
		New:      func(prefix string) (Source, error) { return newSource(prefix, new(RedeamConfig)) },
		Settings: func() any { return new(RedeamConfig) },
	}
}
