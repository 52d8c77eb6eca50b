package lambdaexecutor

import (
	"context"
	"testing"
)

// Inside the package, because no test outside can make a token and the end of a context arrive at the same moment.
func TestAWaitThatEndsLeavesItsTokenToOthers(t *testing.T) {
	for range 100 { // select picks one of those that are ready at random
		ex := &Executor{handle: &handle{closing: make(chan struct{})}, wakes: newWakes(), inbox: newInbox(),
			wakeup: &wakeup{ready: make(chan struct{}, 1)}}
		ctx, cancel := context.WithCancel(context.Background())
		err := ex.await(ctx, false, nil, func() (bool, error) {
			ex.wakeup.pass()
			cancel()
			return false, nil
		})
		if err != context.Canceled || len(ex.wakeup.ready) != 1 {
			t.Fatal(err, len(ex.wakeup.ready), "tokens")
		}
	}
}
