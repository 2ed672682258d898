package ingress_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// framingAttacks are about where a request begins and ends. All are genuine but
// for their form.
func framingAttacks(t *testing.T, o *outpost) []attack {
	t.Helper()
	base := func() request { return o.genuine(t, "redo", samples.Options{}).with("Content-Length") }
	chunked := func(body func(genuine string) string) string {
		r := base().with("Transfer-Encoding", "chunked")
		return r.head() + body(string(r.body))
	}
	whole := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
	length := func(value func(n int) string) string {
		r := base()
		return r.with("Content-Length", value(len(r.body))).String()
	}
	line := func(first string) string {
		_, rest, _ := strings.Cut(o.genuine(t, "redo", samples.Options{}).String(), "\r\n")
		return first + "\r\n" + rest
	}
	expect := func(value string) string {
		return o.genuine(t, "redo", samples.Options{}).with("Expect", value).String()
	}
	return []attack{
		{"Nothing", "", nil, nil},
		{"HalfALine", "POST /webhooks/re", []int{400}, nil},
		{"OnlyALine", "POST /webhooks/redo HTTP/1.1\r\n", []int{400}, nil},
		{"NoEndOfHeaders", base().head()[:50], []int{400}, nil},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 300) + "\r\n\r\n", []int{400}, nil},
		{"HTTP2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", []int{404}, nil},
		{"HTTP3", line("POST /webhooks/redo HTTP/3.0"), []int{505}, nil},
		{"HTTP10", line("POST /webhooks/redo HTTP/1.0"), []int{200}, pending},
		{"HTTP09", line("POST /webhooks/redo"), []int{400}, nil},
		{"NoMethod", line(" /webhooks/redo HTTP/1.1"), []int{400}, nil},
		{"TwoSpaces", line("POST  /webhooks/redo HTTP/1.1"), []int{400}, nil},
		{"NULInTheLine", line("POST /webhooks/redo\x00 HTTP/1.1"), []int{400}, nil},
		{"BareLineFeeds", strings.ReplaceAll(base().with("Content-Length", "0").head(), "\r\n", "\n"), []int{200}, quarantined},

		{"CutOffBody", length(func(n int) string { return fmt.Sprint(n + 1) }), []int{503}, nil},
		{"BodyLongerThanSaid", length(func(n int) string { return fmt.Sprint(n - 1) }), []int{200}, quarantined},
		{"NegativeLength", length(func(int) string { return "-1" }), []int{400}, nil},
		{"SignedLength", length(func(n int) string { return fmt.Sprintf("+%d", n) }), []int{400}, nil},
		{"HexLength", length(func(n int) string { return fmt.Sprintf("0x%x", n) }), []int{400}, nil},
		{"EmptyLength", length(func(int) string { return "" }), []int{400}, nil},
		{"LengthOverflow", length(func(int) string { return "99999999999999999999" }), []int{400}, nil},
		{"LargestLength", length(func(int) string { return "9223372036854775807" }), []int{413}, nil},
		{"TwoDifferentLengths", base().with("Content-Length", "1", "2").String(), []int{400}, nil},
		{"ListOfLengths", length(func(n int) string { return fmt.Sprintf("%d, %d", n, n) }), []int{400}, nil},
		{"NoLengthIsNoBody", o.genuine(t, "redox", samples.Options{}).with("Content-Length").String(), []int{200}, quarantined},

		{"OneChunk", chunked(func(s string) string { return whole(s) + "0\r\n\r\n" }), []int{200}, pending},
		{"ByteByByte", chunked(func(s string) string {
			return strings.Join(splitEach(s, whole), "") + "0\r\n\r\n"
		}), []int{200}, pending},
		{"ChunkExtension", chunked(func(s string) string {
			return strings.Replace(whole(s), "\r\n", ";a=\"b\"\r\n", 1) + "0\r\n\r\n"
		}), []int{200}, pending},
		{"Trailers", chunked(func(s string) string {
			return whole(s) + "0\r\nAuthorization: Bearer x\r\nContent-Length: 1\r\n\r\n"
		}), []int{200}, pending},
		{"BadTrailers", chunked(func(s string) string { return whole(s) + "0\r\nno colon\r\n\r\n" }), []int{503}, nil},
		{"NoLastChunk", chunked(whole), []int{503}, nil},
		{"NoEndOfTrailers", chunked(func(s string) string { return whole(s) + "0\r\n" }), []int{503}, nil},
		{"CutOffChunk", chunked(func(s string) string { return whole(s)[:20] }), []int{503}, nil},
		{"ChunkSizeNoNumber", chunked(func(string) string { return "xyz\r\n" }), []int{503}, nil},
		{"ChunkSizeNegative", chunked(func(string) string { return "-1\r\n" }), []int{503}, nil},
		{"ChunkSizeOverflow", chunked(func(string) string { return "fffffffffffffffff\r\n" }), []int{503}, nil},
		{"ChunkSizePrefixed", chunked(func(s string) string { return "0x" + whole(s) + "0\r\n\r\n" }), []int{503}, nil},
		{"ChunkSizeHuge", chunked(func(s string) string { return "7fffffffffffffff\r\n" + s }), []int{503}, nil},
		{"ChunkWithoutItsEnd", chunked(func(s string) string { return strings.TrimSuffix(whole(s), "\r\n") + "0\r\n\r\n" }), []int{503}, nil},
		{"ChunkLineWithoutEnd", chunked(func(string) string { return strings.Repeat("0", 10<<10) }), []int{503}, nil},
		{"EndlessExtensions", chunked(func(string) string {
			return strings.Repeat("1;"+strings.Repeat("e", 2000)+"\r\na\r\n", 100)
		}), []int{503}, nil},

		{"Expect100", expect("100-continue"), []int{100, 200}, pending},
		{"ExpectUnknown", expect("200-ok"), []int{417}, nil},
		{"ExpectOfAForger", o.genuine(t, "redo", samples.Options{}).with("Expect", "100-continue").with("Authorization", "Bearer x").String(), []int{401}, nil},
	}
}

// splitEach makes something of each byte.
func splitEach(s string, of func(string) string) []string {
	var all []string
	for i := range len(s) {
		all = append(all, of(s[i:i+1]))
	}
	return all
}

// smugglingAttacks hide one request in another. What counts is that the door
// sees as many as it answers, and only genuine ones are stored.
func smugglingAttacks(t *testing.T, o *outpost) []attack {
	t.Helper()
	forged := "POST /webhooks/redo HTTP/1.1\r\nHost: door\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
	genuine := func() request { return o.genuine(t, "redo", samples.Options{}).with("Connection") }
	both := func(encoding string) string {
		r := genuine().with("Transfer-Encoding", encoding)
		return r.head() + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(r.body), r.body) + forged
	}
	two := []inbox.Status{inbox.StatusPending, inbox.StatusPending}
	return []attack{
		// By RFC 9112 the chunks count, and what follows them is another request.
		{"LengthAndChunks", both("chunked"), []int{200, 401}, pending},
		{"EncodingInCapitals", both("CHUNKED"), []int{200, 401}, pending},
		{"EncodingWithASpace", both(" chunked "), []int{200, 401}, pending},
		{"EncodingWithATab", both("\tchunked"), []int{200, 401}, pending},
		{"EncodingTwice", both("chunked, chunked"), []int{501}, nil},
		{"EncodingIdentity", both("identity"), []int{501}, nil},
		{"EncodingCompressed", both("gzip, chunked"), []int{501}, nil},
		{"EncodingUnknown", both("xchunked"), []int{501}, nil},
		{"EncodingWithAControlCharacter", both("\x0bchunked"), []int{400}, nil},
		{"EncodingInTwoLines", genuine().with("Transfer-Encoding", "chunked", "identity").String(), []int{501}, nil},
		{"NameWithASpace", genuine().with("Transfer-Encoding ", "chunked").String(), []int{400}, nil},
		{"NameWithAnUnderscore", genuine().with("Transfer_Encoding", "chunked").with("Connection", "close").String(), []int{200}, pending},
		{"LengthOverASecondRequest", genuine().with("Content-Length", fmt.Sprint(len(forged))).head() + forged, []int{200}, quarantined},
		{"GetWithABody", "GET /webhooks/redo HTTP/1.1\r\nHost: door\r\nContent-Length: " + fmt.Sprint(len(forged)) + "\r\n\r\n" + forged, []int{405}, nil},
		{"BodyBeyondItsLength", genuine().String() + forged, []int{200, 401}, pending},
		{"Pipelined", genuine().String() + genuine().String() + forged, []int{200, 200, 401}, two},
		{"PipelinedAfterABadOne", forged + genuine().String(), []int{401}, nil},
		{"PipelinedRubbish", genuine().String() + "\r\n\r\nrubbish\r\n\r\n", []int{200, 400}, pending},
	}
}
