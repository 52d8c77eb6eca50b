//go:build linux && cgo

package lambdaexecutor

import "sync/atomic"

// gate counts the calls that use the library's executor, so that Close can wait for them before it frees the executor. Unlike a
// readers' lock, entering never blocks: a log handler may call the executor while another call waits for the handler.
type gate struct {
	state atomic.Int64 // calls inside, plus closedGate once it is closed
	empty chan struct{}
}

const closedGate = int64(1) << 62

func newGate() *gate { return &gate{empty: make(chan struct{}, 1)} }

// enter returns false if the gate is closed. Otherwise leave must follow.
func (g *gate) enter() bool {
	if g.state.Add(1) >= closedGate {
		g.leave()
		return false
	}
	return true
}

func (g *gate) leave() {
	if g.state.Add(-1) == closedGate {
		g.signalEmpty()
	}
}

// close makes every later enter return false.
func (g *gate) close() {
	if g.state.Add(closedGate) == closedGate {
		g.signalEmpty()
	}
}

// waitEmpty waits until all calls have left. Call it after close, and from one goroutine only.
func (g *gate) waitEmpty() { <-g.empty }

// signalEmpty may be called more than once, because of a late enter.
func (g *gate) signalEmpty() {
	select {
	case g.empty <- struct{}{}:
	default:
	}
}
