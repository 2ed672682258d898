package ingress_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/providers/samples"
)

// encodingAttacks are compressed bodies, bodies that say they are, and bodies of
// a type that they are not.
func encodingAttacks(t *testing.T, o *outpost) []attack {
	t.Helper()
	encoded := func(encoding string, body []byte) string {
		r := o.genuine(t, "redo", samples.Options{})
		if body == nil {
			body = r.body
		}
		r.body = body
		return r.with("Content-Encoding", encoding).with("Content-Length", fmt.Sprint(len(body))).String()
	}
	var rows []attack
	for encoding, body := range map[string][]byte{
		"gzip":    bomb(t, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }),
		"deflate": bomb(t, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }),
		"x-raw":   bomb(t, func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 9); return f }),
		"br":      {0x5b, 0xff, 0xff, 0x0f}, "zstd": {0x28, 0xb5, 0x2f, 0xfd}, "compress": nil, "x-gzip": nil, "GZIP": nil, "gzip, gzip": nil,
		"identity, gzip": nil, "unheardof": nil, "\xff": nil,
	} {
		rows = append(rows, attack{name: "Encoding " + encoding, send: encoded(encoding, body), statuses: []int{415}})
	}
	zipped := bomb(t, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	rows = append(rows,
		attack{"IdentityInCapitals", encoded("IDENTITY", nil), []int{200}, pending},
		attack{"EmptyEncoding", encoded("", nil), []int{200}, pending},
		attack{"TwoEncodings", o.genuine(t, "redo", samples.Options{}).with("Content-Encoding", "identity", "gzip").String(), []int{415}, nil},
		attack{"CompressedWithoutSayingSo", encoded("identity", zipped), []int{200}, quarantined},
	)
	for _, dialect := range []string{"redo", "redox", "redeam", "socialboards"} {
		for _, kind := range []string{
			"text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data",
			"application/json; charset=utf-16", "application/json;;;", "/", "json", "application/octet-stream", "message/http", "application/fhir+json",
		} {
			send := o.genuine(t, dialect, samples.Options{}).with("Content-Type", kind).String()
			rows = append(rows, attack{name: dialect + " " + kind, send: send, statuses: []int{200}, stored: pending})
		}
	}
	return rows
}

// bomb makes a few kilobytes of many megabytes.
func bomb(t *testing.T, pack func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var small bytes.Buffer
	w := pack(&small)
	_, err := io.Copy(w, io.LimitReader(zeros{}, 16<<20))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Less(t, small.Len(), 64<<10)
	return small.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
