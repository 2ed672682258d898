// Package providertest is the suite that every dialect passes. A dialect's test
// is one call of Run; its cases are folders under testdata/<dialect>:
//
//	testdata/<dialect>/dialect.json          what its cases have in common
//	testdata/<dialect>/<case>/request.json   the request; what it has replaces that of dialect.json
//	testdata/<dialect>/<case>/body.json      the body, byte for byte, if the request has one
//	testdata/<dialect>/<case>/want.json      the events, the handshake's answer, or the error
//
// A request names the places that prove it genuine ("header:Authorization",
// "query:verifyToken", "body:signature.sum"), the setting the proof is made
// with, and the setting that holds the one before it. From these Run makes the
// attacks.
package providertest
