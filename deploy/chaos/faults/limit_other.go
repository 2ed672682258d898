//go:build !linux

package faults

import "errors"

const noLimit = ^uint64(0)

func limitFileSize(int, uint64) error {
	return errors.New("the disk quota of the inbox can be tried on Linux only")
}
