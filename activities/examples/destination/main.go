// Command destination is a small HTTP destination to try Holdfast with, and an
// example of what one does with a delivery: it verifies the signature, fences off
// what comes late, and does nothing twice. It prints a line for each delivery, and
// answers what --status says.
//
//	go run ./activities/examples/destination --status 503
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "destination: %v\n", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("destination", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:3000", "address to listen on")
	status := flags.Int("status", http.StatusOK, "status to answer with")
	if err := flags.Parse(args); err != nil {
		return err
	}
	d, err := newDestination(os.Getenv("HOLDFAST_DESTINATION_SECRET"), *status, os.Stdout)
	if err != nil {
		return err
	}
	fmt.Printf("waiting for deliveries on http://%s, answering %d\n", *listen, *status)
	server := &http.Server{Addr: *listen, Handler: d, ReadTimeout: 30 * time.Second}
	return server.ListenAndServe()
}
