//go:build !linux

package faults

import (
	"context"
	"errors"
)

const noLimit = ^uint64(0)

func limitFileSize(context.Context, int, uint64) error {
	return errors.New("the disk quota of the inbox can be tried on Linux only")
}
