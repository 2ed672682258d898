// Package faults chooses by seed what is done to a fleet and when, does it, undoes
// it as a supervisor or an operator would, and waits until the fleet has recovered.
package faults
