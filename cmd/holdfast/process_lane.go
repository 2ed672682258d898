package main

import "context"

// runLane runs the relief lane, if there is one here.
func (p *process) runLane(ctx context.Context) {
	if p.lane != nil {
		p.lane.Run(ctx)
	}
}

// tellLane tells the relief lane, if there is one here, that a subject is left to it.
func (p *process) tellLane() {
	if p.lane != nil {
		p.lane.Tell()
	}
}
