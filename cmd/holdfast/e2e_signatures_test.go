package main

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// signAgain signs a Redeam recording as of today, because a signature is accepted
// for a day only. Nothing else of its body changes.
func (r *recorded) signAgain(t *testing.T) {
	t.Helper()
	var body struct {
		Signature struct {
			Sum, Token string
			Timestamp  json.Number
		}
	}
	require.NoError(t, json.Unmarshal(r.body, &body))
	old, token := body.Signature.Timestamp.String(), body.Signature.Token
	at := time.Now().Truncate(time.Second)
	timestamp := strconv.FormatInt(at.Unix(), 10)
	recorded, err := strconv.ParseInt(old[:len(timestamp)], 10, 64)
	require.NoError(t, err)
	timestamp += old[len(timestamp):] // milliseconds, of the recordings that have some

	key := r.Settings["SECURITY_KEY"]
	for entry := range strings.SplitSeq(r.Settings["SECURITY_KEYS"], ",") {
		if of, its, found := strings.Cut(entry, ":"); found && strings.TrimSpace(of) == r.Suffix {
			key = its
		}
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(timestamp + token))
	sum := hex.EncodeToString(mac.Sum(nil))
	if r.Settings["SIGNATURE"] == "md5" {
		template := cmp.Or(r.Settings["SIGNATURE_TEMPLATE"], "{key}{timestamp}{token}")
		plain := strings.NewReplacer("{key}", key, "{timestamp}", timestamp, "{token}", token).Replace(template)
		digest := md5.Sum([]byte(plain))
		sum = hex.EncodeToString(digest[:])
	}
	r.body = bytes.ReplaceAll(r.body, []byte(old), []byte(timestamp))
	r.body = bytes.ReplaceAll(r.body, []byte(body.Signature.Sum), []byte(sum))
	for i, e := range r.want.Events {
		// What has no time of its own has the signature's.
		if moment, err := time.Parse(time.RFC3339, e.At); err == nil && moment.Unix() == recorded {
			r.want.Events[i].At = moment.Add(at.Sub(time.Unix(recorded, 0))).Format(time.RFC3339Nano)
		}
	}
}

// unescaped undoes the encoding of what no header can hold.
func unescaped(t *testing.T, value string) string {
	t.Helper()
	plain, err := url.PathUnescape(value)
	require.NoError(t, err)
	return plain
}

// requireSigned verifies the signature as the Standard Webhooks specification has it.
func requireSigned(t *testing.T, d delivery) {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(signingSecret, "whsec_"))
	require.NoError(t, err)
	timestamp := d.header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	require.NoError(t, err)
	require.WithinDuration(t, d.at, time.Unix(seconds, 0), time.Minute)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(d.header.Get("Webhook-Id") + "." + timestamp + "." + string(d.body)))
	require.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), d.header.Get("Webhook-Signature"))
}
