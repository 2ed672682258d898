package providers

import "encoding/json"

// Make opens the one hole that parallel tests and fuzz targets need: a provider
// from a configuration that is not in the process's environment.
func Make(c settings) Provider { return c.provider() }

// WellFormed is compared with json.Valid.
var WellFormed = wellFormed

// Fill is compared with encoding/json.
var Fill = fill

// Decoded returns an empty value of each type that a body is read into.
func Decoded() []any {
	return []any{
		new(redoBody), new(redoxBody), new([]fhirIdentifier), new(map[string]json.RawMessage), new(socialBody), new(socialElement),
		new(struct {
			fhirReference
			Identifier fhirIdentifier `json:"identifier"`
		}),
	}
}
