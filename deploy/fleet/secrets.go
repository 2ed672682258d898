package fleet

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// secretsFile is the one of `holdfast dev`, so that `holdfast send` finds the secrets
// by its --data-dir.
const secretsFile = "dev.env"

// ThrowAwaySecrets returns settings for a source of every provider: those that a data
// folder keeps, and new ones for what they lack, which it keeps from then on.
func ThrowAwaySecrets(dataDir string) (map[string]string, error) {
	path := filepath.Join(dataDir, secretsFile)
	kept, err := readSettings(path)
	if errors.Is(err, fs.ErrNotExist) {
		kept, err = map[string]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	secrets := map[string]string{}
	before := maps.Clone(kept)
	for _, d := range providers.Dialects() {
		for name, value := range samples.ThrowAway(d.Name, rand.Text) {
			name = ingress.SourceEnv(d.Name) + "_" + name
			if _, found := kept[name]; !found {
				kept[name] = value
			}
			secrets[name] = kept[name]
		}
	}
	if maps.Equal(kept, before) {
		return secrets, nil
	}
	var b bytes.Buffer
	b.WriteString("# Throw-away settings of `holdfast dev`. Delete this file to get new ones.\n")
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		fmt.Fprintf(&b, "%s=%s\n", name, kept[name])
	}
	return secrets, os.WriteFile(path, b.Bytes(), 0o600)
}
