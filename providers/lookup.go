package providers

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// FileSuffix ends the name of the variable that names a file with a setting's
// value: HOLDFAST_OPERATOR_TOKEN_FILE for HOLDFAST_OPERATOR_TOKEN. That is how
// containers are given secrets, which then are in no process's environment.
const FileSuffix = "_FILE"

// Lookup returns a setting by its environment name: the variable's value, or the
// content of the file that the variable with FileSuffix names, without the line
// break at its end. env is os.LookupEnv or like it. The error is a *SettingError
// and holds nothing of the value.
func Lookup(env func(name string) (value string, set bool), name string) (value string, set bool, err error) {
	value, set = env(name)
	path, inFile := env(name + FileSuffix)
	if !inFile {
		return value, set, nil
	}
	bad := func(problem string) (string, bool, error) {
		return "", true, &SettingError{Name: name + FileSuffix, Problem: problem}
	}
	if set {
		return bad("is set, and " + name + " is too: remove one of them")
	}
	if strings.TrimSpace(path) == "" {
		return bad("is set but empty; give it the path of a file, or remove it")
	}
	content, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own choice
	if err != nil {
		return bad("the file " + path + " cannot be read: " + whyUnreadable(err))
	}
	value = strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	switch {
	case strings.TrimSpace(value) == "":
		return bad("the file " + path + " is empty")
	case strings.ContainsRune(value, 0):
		return bad("the file " + path + " is no text: it holds a zero byte")
	}
	return value, true, nil
}

func whyUnreadable(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, syscall.EISDIR):
		return "it is a folder"
	default:
		return "reading fails"
	}
}
