package providers

// Dialects lists every provider there is. A new one is a line here.
func Dialects() []Dialect {
	return []Dialect{
		redoxDialect(),
		redeamDialect(),
		redoDialect(),
		socialboardsDialect(),
	}
}

// Named finds a dialect by its name.
func Named(name string) (Dialect, bool) {
	for _, d := range Dialects() {
		if d.Name == name {
			return d, true
		}
	}
	return Dialect{}, false
}
