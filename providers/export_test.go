package providers

// Make opens the one hole that parallel tests and fuzz targets need: a provider
// from a configuration that is not in the process's environment.
func Make(c settings) Provider { return c.provider() }

// WellFormed is compared with json.Valid.
var WellFormed = wellFormed
