package providers

// MaxUnproven is the longest body that may still be read, in bytes, when the
// headers of a HeaderVerifier's request prove nothing. It is far more than any
// endpoint test has, and far less than a message may have.
const MaxUnproven = 64 << 10

// HeaderVerifier is a Provider whose proof is in the headers, so that a forged
// request can be refused before its body is read. It is asked about a POST whose
// Body is still nil. Verify is asked as well, and repeats what it finds.
type HeaderVerifier interface {
	// VerifyHeader returns an error that is ErrNotGenuine if the headers already
	// rule out both a live request and a handshake. Else proven tells whether the
	// headers hold the whole proof. If they do not, the request can only be a
	// handshake with its proof in the body, of at most MaxUnproven bytes.
	VerifyHeader(Request) (proven bool, err error)
}
