package lambdaexecutor

import (
	"context"
	"testing"
)

// Inside the package, because no test outside can make an answer and the end of a context happen at the same moment.
func TestAnAnswerTakesPrecedenceOverTheContext(t *testing.T) {
	ex := &Executor{handle: &handle{closing: make(chan struct{})}, wakes: newWakes()}
	close(ex.closing)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	answered := &answer{done: make(chan struct{})}
	close(answered.done)
	for range 100 { // select picks one of those that are ready at random
		ex.wakes.wake()
		if err := ex.awaitAnswer(ended, answered); err != nil {
			t.Fatal(err)
		}
	}
}
